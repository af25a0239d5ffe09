"""The console: what a log and a terminal show of a run."""

import asyncio
import io
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from reporters.terminal import Clock, Terminal, a_context, printed
from support import stories

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status, because
from e2e_orchestrator.model.storing import ArtifactsAwaited
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.console import HEARTBEAT, ConsoleReporter
from e2e_orchestrator.reporters.console_line import case_sign, sign
from e2e_orchestrator.reporters.console_screen import abilities


def test_a_finished_test_is_one_aligned_line() -> None:
    lines = printed(stories.green()).splitlines()
    assert "(1/7) ✓ health/api_health                               0.4s  2 cases" in lines
    assert "(5/7) ✓ backend_smoke/artwork_upload_and_moderation     1.6s  3 cases" in lines


def test_the_opening_names_project_and_size() -> None:
    first = printed(stories.green()).splitlines()[0]
    assert first == "streamer-studio · 7 tests in 4 phases · 1 left out · 4 workers"


def test_phases_have_headers_and_services_say_when_they_are_ready() -> None:
    text = printed(stories.green())
    assert "● service api ready after 1.2s\n\nhealth · 2 tests · in parallel\n" in text
    assert "\nperformance · 1 test · optional\n" in text


def test_a_failure_shows_at_once_what_went_wrong_and_where_to_read_on() -> None:
    text = printed(stories.red())
    assert (
        "(3/7) ✗ backend_smoke/login                            11.1s  2 of 5 cases failed after 2 attempts\n"
        "    ✗ tests/test_login.py::test_wrong_password  tests/test_login.py:14\n"
        "    │ E       AssertionError: a wrong password must not be an error of ours\n"
        "    │ E       assert 500 == 401\n"
        "    │ E        +  where 500 = <Answer 500>.status\n"
        "    + 1 more failed case\n"
        f"    output test-results/runs/{stories.RUN_ID}/backend_smoke/login/attempt-2/output.log\n"
    ) in text


def test_a_crash_shows_the_verdict_and_the_end_of_the_output() -> None:
    text = printed(stories.red())
    assert "    │ died of SIGSEGV in case tests/test_tips.py::test_1\n    │ Fatal Python error" in text


def test_a_retry_is_announced_with_its_reason() -> None:
    text = printed(stories.red())
    assert (
        "  ↻ backend_smoke/login  attempt 1 failed, attempt 2 of 3 in 5s · "
        "AssertionError: a wrong password must not be an error of ours\n"
    ) in text


def test_the_summary_has_a_table_of_phases() -> None:
    text = printed(stories.red())
    assert (
        "Phases\n"
        "  ✓ health         2 passed               0.8s  required\n"
        "  ✗ backend_smoke  2 failed, 1 passed    14.0s  required\n"
        "  ○ frontend       1 blocked                    required\n"
        "  ○ performance    1 blocked                    optional\n"
    ) in text


def test_what_never_started_is_counted_with_its_reason() -> None:
    text = printed(stories.red())
    assert "Not run\n  2 blocked: the required phase backend_smoke failed\n" in text


def test_a_flaky_test_is_never_silent() -> None:
    text = printed(stories.flaky())
    assert "(3/7) ~ backend_smoke/login                             8.1s  flaky: passed on attempt 2" in text
    assert "Flaky tests\n  ~ backend_smoke/login" in text
    assert "      │ AssertionError: a wrong password" in text


def test_only_three_cases_of_a_test_are_shown_in_full() -> None:
    text = printed(stories.playwright_red())
    final = text.partition("Failed tests")[2]
    assert final.count("Error: expect(locator).toBeVisible() failed") == 3
    assert "      + 2 more failed cases\n" in final


def test_a_failed_service_shows_the_end_of_its_log_at_once_and_at_the_end() -> None:
    text = printed(stories.service_failed())
    assert text.count("✗ service api failed: ended with exit status 1 before it was ready") == 2
    assert "    │ OSError: [Errno 98] Address already in use\n" in text
    assert f"    log test-results/runs/{stories.RUN_ID}/services/api.log\n" in text


def test_many_failed_tests_are_cut_and_counted() -> None:
    tests = [stories.a_test("load", f"t{number}") for number in range(30)]
    story = stories.Story().start(stories.a_plan(stories.a_phase("load", *tests)))
    story.tell(events.PhaseStarted(phase="load"))
    for test in tests:
        story.attempt(test, cases=[stories.bad_case(test)], verdict=because(Reason.CRASH))
        story.end_test(test, because(Reason.CRASH))
    text = printed(story.end_phase("load", Status.FAILED).end(1, ""))
    assert "  + 5 more failed tests\n" in text


@pytest.mark.parametrize("story", stories.STORIES)
def test_the_last_line_is_the_verdict(story: str) -> None:
    assert re.match(r"(NO )?GO: ", printed(stories.STORIES[story]()).splitlines()[-1])


def test_nothing_seen_is_nothing_said() -> None:
    assert printed([]) == ""


def test_where_the_reports_are(tmp_path: Path) -> None:
    run_folder = tmp_path / "runs" / "r"
    run_folder.mkdir(parents=True)
    context = ReporterContext(output=tmp_path, run_folder=run_folder)
    assert f"Reports\n  run      {run_folder}\n" in printed(stories.green(), context=context)
    (run_folder / "e2e-results.json").touch()
    assert f"  results  {run_folder}/e2e-results.json\n" in printed(stories.green(), context=context)
    (tmp_path / "e2e-results.json").touch()
    assert f"  results  {tmp_path}/e2e-results.json\n" in printed(stories.green(), context=context)


WAIT = ArtifactsAwaited(files=3, size=1_536, address="s3://bucket/e2e\n::error::", seconds=28.0)
SAYS = "… waiting for 3 artifacts (1.5 KiB) to be stored in s3://bucket/e2e ::error::, for 28s at most"


def waiting() -> list[Envelope]:
    """A run whose last test is over."""
    *before, last = stories.green()
    wait = Envelope(seq=last.seq, at=last.at, mono=last.mono, event=WAIT)
    return [*before, wait, replace(last, seq=last.seq + 1)]


def test_a_wait_for_uploads_is_one_line_before_the_summary() -> None:
    assert printed(waiting()).splitlines().count(SAYS) == 1
    assert printed(waiting()).index(SAYS) < printed(waiting()).index("\nPhases\n")
    assert printed(waiting()).replace(f"{SAYS}\n", "") == printed(stories.green())
    quiet = a_context(verbosity=-1)
    assert printed(waiting(), context=quiet) == printed(stories.green(), context=quiet)


def test_quiet_shows_only_failures_and_the_verdict() -> None:
    quiet = a_context(verbosity=-1)
    assert printed(stories.green(), context=quiet) == "GO: 7 tests passed in 4 phases (10.3 s)\n"
    lines = printed(stories.red(), context=quiet).splitlines()
    assert lines[0].startswith("(3/7) ✗ backend_smoke/login")
    assert not any("✓" in line or "Phases" in line or "!" in line for line in lines)


def test_verbose_shows_every_case_once() -> None:
    text = printed(stories.flaky(), context=a_context(verbosity=1))
    first, _, second = text.partition("↻")
    case = "backend_smoke/login ▸ tests/test_login.py::test_wrong_password"
    assert f"  ✗ {case}  0.4s\n" in first
    assert second.partition("Phases")[0].count(f"  ✓ {case}  0.2s\n") == 1


def test_a_stream_that_knows_only_ascii_gets_ascii() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    for story in (stories.red(), stories.hostile()):
        printed(story, stream=stream)
    text = raw.getvalue().decode("ascii")
    assert "(3/7) x backend_smoke/login" in text
    assert "    | E       assert 500 == 401" in text
    assert "\\U0001f600" in text


def test_no_line_of_a_hostile_run_is_a_command() -> None:
    text = printed(stories.hostile())
    assert not re.search(r"^\s*(::|##)|##\w*\[", text, re.MULTILINE)
    assert "│ ::warning::phase · 1 test" in text


@pytest.mark.parametrize(
    ("color", "environ", "terminal", "live", "colored"),
    [
        pytest.param("auto", {}, True, True, True, id="a terminal is live and coloured"),
        pytest.param("auto", {}, False, False, False, id="a pipe is neither"),
        pytest.param("auto", {"CI": "true"}, True, False, True, id="a CI terminal only adds lines"),
        pytest.param("auto", {"CI": "false"}, True, True, True, id="CI=false is no CI"),
        pytest.param("auto", {"TERM": "dumb"}, True, False, False, id="a dumb terminal is a pipe"),
        pytest.param("auto", {"NO_COLOR": "1"}, True, True, False, id="NO_COLOR leaves only the movement"),
        pytest.param("auto", {"NO_COLOR": ""}, True, True, True, id="an empty NO_COLOR says nothing"),
        pytest.param("auto", {"FORCE_COLOR": "1"}, False, False, True, id="FORCE_COLOR colours a pipe"),
        pytest.param("auto", {"FORCE_COLOR": "0"}, False, False, False, id="FORCE_COLOR=0 forces nothing"),
        pytest.param("auto", {"CLICOLOR_FORCE": "1"}, False, False, True, id="so does CLICOLOR_FORCE"),
        pytest.param("auto", {"CLICOLOR": "0"}, True, True, False, id="CLICOLOR=0 takes colours away"),
        pytest.param(
            "auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False, False, id="NO_COLOR outranks force"
        ),
        pytest.param("always", {"NO_COLOR": "1"}, False, False, True, id="always outranks NO_COLOR"),
        pytest.param("never", {"FORCE_COLOR": "1"}, True, False, False, id="never means no escape at all"),
    ],
)
def test_abilities(color: str, environ: dict[str, str], terminal: bool, live: bool, colored: bool) -> None:
    able = abilities(Terminal() if terminal else io.StringIO(), color=color, environ=environ)
    assert (able.live, able.color) == (live, colored)


def test_a_closed_stream_has_no_abilities() -> None:
    stream = io.StringIO()
    stream.close()
    assert not abilities(stream, color="auto", environ={}).live


def test_colours_mean_something() -> None:
    text = printed(stories.red(), context=a_context(color="always"))
    assert "\x1b[1;31mNO GO: 1 required phase failed: backend_smoke (exit code 1)\x1b[0m\n" in text
    assert re.sub(r"\x1b\[[\d;]*m", "", text).replace(" \n", "\n") == printed(stories.red()).replace(
        " \n", "\n"
    )


async def _beating(context: ReporterContext, envelopes: Sequence[Envelope], *, seconds: float) -> str:
    clock, stream = Clock(), io.StringIO()
    reporter = ConsoleReporter(context, stream=stream, clock=clock, sleep=clock.sleep)
    for envelope in envelopes:
        await reporter.handle(envelope)
    said = len(stream.getvalue())
    for _ in range(int(seconds)):
        await clock.advance(1.0)
    beats = stream.getvalue()[said:]
    await reporter.close()
    return beats


def test_a_heartbeat_names_what_runs_since_when_and_in_which_case() -> None:
    beats = asyncio.run(_beating(a_context(), stories.our_crash(), seconds=121))
    assert beats.splitlines() == [
        "… 1m 04s · backend_smoke/login for 1m 02s (test_slow)",
        "… 2m 04s · backend_smoke/login for 2m 02s (test_slow)",
    ]


def test_a_heartbeat_names_a_service_that_is_starting() -> None:
    beats = asyncio.run(_beating(a_context(), stories.service_failed()[:2], seconds=60))
    assert beats == "… 1m 00s · service api is starting\n"


def test_a_heartbeat_says_if_nothing_runs() -> None:
    beats = asyncio.run(_beating(a_context(), stories.green()[:1], seconds=60))
    assert beats == "… 1m 00s · nothing is running\n"


def test_a_heartbeat_names_eight_tests_at_most() -> None:
    tests = [stories.a_test("load", f"t{number}") for number in range(11)]
    story = stories.Story().start(stories.a_plan(stories.a_phase("load", *tests)))
    for slot, test in enumerate(tests):
        story.tell(
            events.AttemptStarted(test=test.id, number=2, max_attempts=3, slot=slot, output="output.log")
        )
    beats = asyncio.run(_beating(a_context(), story.envelopes, seconds=60))
    assert beats.count("attempt 2 of 3") == 8
    assert beats.endswith(", 3 more\n")


@pytest.mark.parametrize(
    ("environ", "verbosity", "beats"),
    [
        pytest.param({HEARTBEAT: "10"}, 0, 6, id="every ten seconds"),
        pytest.param({HEARTBEAT: "0"}, 0, 0, id="never"),
        pytest.param({}, -1, 0, id="never when quiet"),
    ],
)
def test_the_heartbeat_can_be_set(environ: dict[str, str], verbosity: int, beats: int) -> None:
    context = a_context(environ=environ, verbosity=verbosity)
    assert asyncio.run(_beating(context, stories.our_crash(), seconds=60)).count("\n") == beats


def test_after_the_end_no_heart_beats() -> None:
    assert asyncio.run(_beating(a_context(), stories.green(), seconds=200)) == ""


@pytest.mark.parametrize("value", ["soon", "-1", "inf", "nan"])
def test_a_heartbeat_that_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match=f"{HEARTBEAT}={value}"):
        ConsoleReporter(a_context(environ={HEARTBEAT: value}), stream=io.StringIO())


def test_a_reader_that_went_away_raises_from_handle_and_close_and_leaves_no_task() -> None:
    reader, writer = os.pipe()
    os.close(reader)

    async def run() -> None:
        clock = Clock()
        stream = os.fdopen(writer, "w", encoding="utf-8", buffering=1)
        reporter = ConsoleReporter(a_context(), stream=stream, clock=clock, sleep=clock.sleep)
        with pytest.raises(BrokenPipeError):
            await reporter.handle(stories.green()[0])
        await clock.advance(60)
        with pytest.raises(BrokenPipeError):
            await reporter.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        with pytest.raises(BrokenPipeError):
            stream.close()

    asyncio.run(run())


def test_every_status_has_a_sign() -> None:
    assert all(sign(status, None)[0] for status in Status)
    assert all(case_sign(status)[0] for status in CaseStatus)

"""The console on a terminal that somebody watches."""

import asyncio
import re
from dataclasses import replace

import pytest
from reporters.terminal import Clock, Terminal, Watched, a_context, printed, visible, watch
from support import stories

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.outcomes import Reason, because
from e2e_orchestrator.model.storing import ArtifactsAwaited
from e2e_orchestrator.reporters.console import ConsoleReporter


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_terminal_shows_what_runs_and_a_bar(columns: int) -> None:
    watched = Watched(columns=columns)
    crash = stories.our_crash()
    (area,), rest = asyncio.run(watch(watched, crash, at=[len(crash)]))
    watched.close()
    lines = visible(area).split("\n")
    assert any("backend_smoke/login" in line or "backend_smoke/logi…" in line for line in lines)
    assert any("2/7" in line and "━" in line for line in lines)
    assert all(len(line) <= columns for line in lines)
    assert "NO GO: the run did not finish" in visible(rest)
    assert rest.count("\x1b[?25h") >= 1, "the cursor is visible again"


def test_a_live_area_follows_the_size_of_its_terminal() -> None:
    watched = Watched(columns=120)

    async def run() -> list[str]:
        clock = Clock()
        reporter = ConsoleReporter(
            a_context(environ={"TERM": "xterm"}), stream=watched.stream, clock=clock, sleep=clock.sleep
        )
        for envelope in stories.our_crash():
            await reporter.handle(envelope)
        watched.resize(30, 5)
        watched.read()
        await clock.advance(0.2)
        area = visible(watched.read())
        await reporter.close()
        return area.split("\n")

    lines = asyncio.run(run())
    watched.close()
    assert all(len(line) <= 30 for line in lines)


def test_at_most_eight_running_tests_are_painted() -> None:
    tests = [stories.a_test("load", f"t{number}") for number in range(11)]
    story = stories.Story().start(stories.a_plan(stories.a_phase("load", *tests)))
    for slot, test in enumerate(tests):
        story.tell(events.AttemptStarted(test=test.id, number=1, max_attempts=1, slot=slot, output="o"))
    watched = Watched(columns=80)
    (area,), _ = asyncio.run(watch(watched, story.envelopes, at=[len(story.envelopes)]))
    watched.close()
    assert visible(area).count("load/t") == 8
    assert "+ 3 more" in area


def test_the_bar_tells_failures_flaky_tests_and_the_wish_to_end() -> None:
    watched = Watched(columns=160)
    envelopes = [
        *stories.flaky()[:-1],
        *stories.Story(mono=50).tell(events.CancelRequested(why="SIGINT")).envelopes,
    ]
    (area,), _ = asyncio.run(watch(watched, envelopes, at=[len(envelopes)]))
    watched.close()
    assert "7/7  1 failed  1 flaky  50.2s  · ending: SIGINT" in visible(area)


LONG_LINES = {
    "between words": (
        f"{'the quick fox ' * 7}jumps",
        [f"{'the quick fox ' * 3}the quick", "fox the quick fox the quick fox the quick fox jumps"],
    ),
    "by what a character takes": (f"{'日本' * 12} {'日本' * 6}", ["日本" * 12, "日本" * 6]),
    "never in a path": (f"see /{'folder/' * 12} there", [f"see /{'folder/' * 12} there"]),
}


@pytest.mark.parametrize(("message", "lines"), LONG_LINES.values(), ids=LONG_LINES.keys())
def test_a_terminal_breaks_long_lines_of_a_child_behind_its_bar(message: str, lines: list[str]) -> None:
    test = stories.LOGIN
    story = stories.Story().start(stories.a_plan(stories.a_phase("backend_smoke", test)))
    verdict = because(Reason.TEST_FAILURES)
    bad = stories.bad_case(test, message=message)
    story.attempt(test, cases=[bad], verdict=verdict).end_test(test, verdict)
    watched = Watched(columns=60)
    _, rest = asyncio.run(watch(watched, story.end(1, ""), at=[]))
    watched.close()
    shown = visible(rest)
    quoted = [
        line.removeprefix("    │ ").rstrip() for line in shown.splitlines() if line.startswith("    │ ")
    ]
    assert quoted[: len(lines)] == lines


def test_no_color_on_a_terminal_moves_the_cursor_but_colours_nothing() -> None:
    watched = Watched(columns=80)
    clock = Clock()

    async def run() -> str:
        environ = {"TERM": "xterm-256color", "NO_COLOR": "1"}
        reporter = ConsoleReporter(
            a_context(environ=environ), stream=watched.stream, clock=clock, sleep=clock.sleep
        )
        for envelope in stories.our_crash():
            await reporter.handle(envelope)
        await clock.advance(0.2)
        await reporter.close()
        return watched.read()

    text = asyncio.run(run())
    watched.close()
    assert "\x1b[?25l" in text
    assert not re.search(r"\x1b\[[\d;]*m", text)


def test_a_terminal_shows_which_service_is_starting() -> None:
    watched = Watched(columns=80)
    envelopes = stories.service_failed()[:2]
    (area,), _ = asyncio.run(watch(watched, envelopes, at=[2]))
    watched.close()
    assert "… service api is starting" in visible(area)


def test_a_terminal_says_once_what_is_waited_for() -> None:
    watched = Watched(columns=120)
    *before, last = stories.green()
    wait = ArtifactsAwaited(files=1, size=10, address="s3://bucket/e2e", seconds=28.0)
    event = Envelope(seq=last.seq, at=last.at, mono=last.mono, event=wait)
    told = [*before, event, replace(last, seq=last.seq + 1)]
    _, rest = asyncio.run(watch(watched, told, at=[]))
    watched.close()
    line = "… waiting for 1 artifact (10 B) to be stored in s3://bucket/e2e, for 28s at most"
    assert visible(rest).count(line) == 1
    assert (
        visible(rest).index("performance/speed") < visible(rest).index(line) < visible(rest).index("Phases")
    )


def test_a_terminal_without_a_size_is_taken_for_eighty_columns() -> None:
    stream = Terminal()
    printed(stories.green(), context=a_context(environ={"TERM": "xterm"}), stream=stream)
    assert "GO: 7 tests passed in 4 phases" in stream.getvalue()


def test_asking_to_end_gives_the_cursor_back_at_once() -> None:
    watched = Watched(columns=80)
    clock = Clock()

    async def run() -> str:
        reporter = ConsoleReporter(
            a_context(environ={"TERM": "xterm"}), stream=watched.stream, clock=clock, sleep=clock.sleep
        )
        for envelope in stories.our_crash():
            await reporter.handle(envelope)
        await clock.advance(0.2)
        watched.read()
        (asked,) = stories.Story(mono=9.0).tell(events.CancelRequested(why="SIGINT")).envelopes
        await reporter.handle(asked)
        said = watched.read()
        await reporter.close()
        return said

    said = asyncio.run(run())
    watched.close()
    assert "\x1b[?25h" in said
    assert "! ending the run: SIGINT" in visible(said)

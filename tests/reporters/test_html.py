"""The HTML report as a file: what is in it, what is not, and how it is packed. ``tests/web`` opens it."""

import asyncio
import base64
import hashlib
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.formats.page import BLOCK, blocks, unpacked
from support.stories import (
    RUN_ID,
    Story,
    a_phase,
    a_plan,
    a_test,
    bad_case,
    flaky,
    green,
    hostile,
    many_cases,
    red,
    rerun,
)

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.outcomes import Attachment, Attempt, Case, CaseStatus, Reason, because, passed
from e2e_orchestrator.model.plan import Artifacts, Screenshots
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.html import REPORT, HtmlReporter
from e2e_orchestrator.reporters.html_details import Evidence
from e2e_orchestrator.reporters.html_moments import Moments
from e2e_orchestrator.reporters.html_page import page, way

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def folded(envelopes: list[Envelope]) -> tuple[RunState, Moments]:
    run, moments = RunState(), Moments()
    for envelope in envelopes:
        run.apply(envelope)
        moments.apply(envelope)
    return run, moments


def made(envelopes: list[Envelope], root: Path, **budget: int) -> dict[str, bytes]:
    run, moments = folded(envelopes)
    return blocks(page(run, moments, evidence=Evidence(root=root), **budget).at("").decode())


def told(envelopes: list[Envelope], root: Path) -> Any:
    return unpacked(made(envelopes, root)["run"])


def report(envelopes: list[Envelope], context: ReporterContext) -> None:
    async def tell() -> None:
        reporter = HtmlReporter(context)
        for envelope in envelopes:
            await reporter.handle(envelope)
        await reporter.close()

    asyncio.run(tell())


def test_the_first_screen_has_verdict_phases_groups_and_time(tmp_path: Path) -> None:
    run = told(red(), tmp_path)
    assert (run["go"], run["exit_code"], run["complete"]) == (False, 1, True)
    assert run["sentence"] == "NO GO: 1 required phase failed: backend_smoke (exit code 1)"
    assert [(one["name"], one["status"]) for one in run["phases"]] == [
        ("health", "passed"),
        ("backend_smoke", "failed"),
        ("frontend", "skipped"),
        ("performance", "skipped"),
    ]
    assert [one["ready_after"] for one in run["services"]] == [300, 1200]
    assert sum(len(one["failures"]) for one in run["groups"]) == 3
    assert [end["phase"] for end in run["timing"]["critical_path"]] == ["health", "backend_smoke"]


def test_failures_point_at_their_tests_and_cases(tmp_path: Path) -> None:
    run = told(red(), tmp_path)
    pointed = {
        (run["tests"][test]["name"], run["tests"][test]["letters"][case] if case >= 0 else None)
        for one in run["groups"]
        for test, case in one["failures"]
    }
    assert pointed == {("login", "f"), ("tips", None)}


def test_attempts_pauses_and_slots_are_timed(tmp_path: Path) -> None:
    run = told(red(), tmp_path)
    login = next(one for one in run["tests"] if one["name"] == "login")
    first, second = login["attempts"]
    assert first["end"] - first["start"] == 3200
    assert second["start"] - first["end"] == 5000
    assert login["pauses"] == [{"start": first["end"], "number": 2, "delay": 5000}]


def test_a_flaky_test_says_what_went_wrong_first(tmp_path: Path) -> None:
    login = next(one for one in told(flaky(), tmp_path)["tests"] if one["name"] == "login")
    assert login["reason"] == "flaky"
    assert login["error"] == "AssertionError: a wrong password must not be an error of ours"


def test_no_slot_is_used_twice_at_once_by_the_tests_of_a_pack(tmp_path: Path) -> None:
    first, second = a_test("p", "first"), a_test("p", "second")
    story = Story().start(a_plan(a_phase("p", first, second))).tell(events.PhaseStarted(phase="p"))
    begun = [
        events.AttemptStarted(test=one.id, number=1, max_attempts=1, slot=0, output="o")
        for one in (first, second)
    ]
    story.tell(begun[0]).wait(1.0).tell(begun[1]).wait(2.0)
    through = Attempt(number=1, started_at=story.now, duration=1.0, verdict=passed(), slot=0)
    story.tell(events.AttemptFinished(test=first.id, attempt=through)).end_test(first)
    story.attempt(second, seconds=2.0).end_test(second)  # The pack decided nothing about it.
    tests = told(story.end(0), tmp_path)["tests"]
    shown = [[(one["start"], one["end"], one["status"]) for one in test["attempts"]] for test in tests]
    assert shown == [[(0, 1000, "passed")], [(3000, 5000, "passed")]]


def test_what_was_carried_over_has_attempts_without_times(tmp_path: Path) -> None:
    artwork = next(one for one in told(rerun(), tmp_path)["tests"] if one["name"].startswith("artwork"))
    assert artwork["carried_from"] == RUN_ID
    assert [one["start"] for one in artwork["attempts"]] == [None]


def test_the_policy_allows_exactly_the_script_and_the_style_of_the_page(tmp_path: Path) -> None:
    run, moments = folded(green())
    html = page(run, moments, evidence=Evidence(root=tmp_path)).at("").decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    for kind, tag in (("script", r'<script type="module">'), ("style", "<style>")):
        content = re.findall(rf"{tag}(.*?)</{kind}>", html, re.DOTALL)
        assert len(content) == 1
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"<(link|iframe|object|img|base)\b", html)


def test_no_text_of_a_run_stands_in_the_page_as_it_is(tmp_path: Path) -> None:
    run, moments = folded(hostile())
    empty = page(RunState(), Moments(), evidence=Evidence(root=tmp_path)).at("").decode()
    html = page(run, moments, evidence=Evidence(root=tmp_path)).at("</script>").decode()
    assert BLOCK.sub("", html).split() == BLOCK.sub("", empty).split()


@pytest.mark.slow
def test_fifty_thousand_cases_stay_under_three_megabytes(tmp_path: Path) -> None:
    run, moments = folded(many_cases(50_000))
    made = page(run, moments, evidence=Evidence(root=tmp_path)).at("")
    assert len(made) < 3_000_000


def shot(
    tmp_path: Path, *, size: int = 64, kind: str = "image/png", path: str = "runs/a/shot.png"
) -> list[Envelope]:
    target = tmp_path / "runs/a/shot.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(PNG + bytes(size))
    test = a_test("p", "t")
    picture = Attachment(name="screenshot", path=path, content_type=kind)
    case = Case(id="c", status=CaseStatus.FAILED, message="E   boom", attachments=(picture,))
    story = Story().start(a_plan(a_phase("p", test))).tell(events.PhaseStarted(phase="p"))
    verdict = because(Reason.TEST_FAILURES)
    return story.attempt(test, cases=[case], verdict=verdict, exit_status=1).end_test(test, verdict).end(1)


def test_a_screenshot_travels_with_the_page(tmp_path: Path) -> None:
    found = made(shot(tmp_path), tmp_path)
    assert found["file-runs/a/shot.png"].startswith(PNG)


@pytest.mark.parametrize("path", ["../shot.png", "/etc/hostname", "runs/a/nothing.png", "runs/a", "a\0b"])
def test_no_picture_comes_from_elsewhere(path: str, tmp_path: Path) -> None:
    output = tmp_path / "output"
    (tmp_path / "shot.png").write_bytes(PNG)
    found = made(shot(output, path=path), output)
    assert not any(name.startswith("file-") for name in found)


def test_screenshots_can_be_withheld(tmp_path: Path) -> None:
    envelopes = shot(tmp_path)
    started = envelopes[0].event
    assert isinstance(started, events.RunStarted)
    plan = replace(started.plan, artifacts=Artifacts(screenshots=Screenshots.NEVER))
    envelopes[0] = replace(envelopes[0], event=replace(started, plan=plan))
    found = made(envelopes, tmp_path)
    assert not any(name.startswith("file-") for name in found)
    assert b"shot.png" not in zlib.decompress(found["test-0"])


def test_what_finds_no_room_is_counted_and_named(tmp_path: Path) -> None:
    envelopes = shot(tmp_path, size=200_000)
    roomy = made(envelopes, tmp_path)
    assert unpacked(roomy["run"])["left"] == []
    tight = made(envelopes, tmp_path, soft=150_000, hard=200_000)
    assert "file-runs/a/shot.png" not in tight
    (left,) = unpacked(tight["run"])["left"]
    assert (left["kind"], left["count"], left["where"]) == ("pictures", 1, "runs/a/shot.png")
    assert left["bytes"] > 200_000


def test_only_what_failed_may_fill_the_page_beyond_its_soft_limit(tmp_path: Path) -> None:
    found = made(red(), tmp_path, soft=0, hard=10_000_000)
    names = [one["name"] for one in unpacked(found["run"])["tests"]]
    kept = {names[int(name.removeprefix("test-"))] for name in found if name.startswith("test-")}
    assert kept == {"login", "tips"}


def test_output_comes_from_its_file_and_is_cut_where_it_says(tmp_path: Path) -> None:
    test = a_test("p", "t")
    log = tmp_path / f"runs/{RUN_ID}/p/t/attempt-1/output.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"first\n" + b"x" * 600_000 + b"\nlast\n")
    verdict = because(Reason.TEST_FAILURES)
    story = Story().start(a_plan(a_phase("p", test))).tell(events.PhaseStarted(phase="p"))
    story.attempt(test, cases=[bad_case(test)], verdict=verdict, tail="last\n").end_test(test, verdict)
    (attempt,) = unpacked(made(story.end(1), tmp_path)["test-0"])["attempts"]
    text = attempt["output"]["text"]
    assert text.startswith("first\n")
    assert text.endswith("\nlast\n")
    assert "bytes cut …]" in text
    assert len(text) < 300_000


def test_names_that_alone_would_fill_the_file_are_cut_alike_everywhere(tmp_path: Path) -> None:
    test = a_test("p", "t")
    names = [
        "".join(hashlib.sha512(f"{at} {part}".encode()).hexdigest() for part in range(8)) for at in range(400)
    ]
    found = [Case(id=name, status=CaseStatus.FAILED, message="m") for name in names]
    verdict = because(Reason.TEST_FAILURES)
    story = Story().start(a_plan(a_phase("p", test))).tell(events.PhaseStarted(phase="p"))
    story.attempt(test, cases=found, verdict=verdict, live=False).end_test(test, verdict)
    small = made(story.end(1), tmp_path, soft=200_000, hard=400_000)
    run, details = unpacked(small["run"]), unpacked(small["test-0"])
    shown = run["tests"][0]["ids"]
    assert details["attempts"][0]["ids"] == shown
    assert len(set(shown)) == len(names)
    assert max(map(len, shown)) <= 400
    assert any("names of more than" in one["kind"] for one in run["left"])
    whole = unpacked(made(story.end(1), tmp_path)["run"])
    assert whole["tests"][0]["ids"] == names


@pytest.mark.parametrize(
    ("page_at", "output", "expected"),
    [("/o/r.html", "/o", ""), ("/o/runs/1/r.html", "/o", "../../"), ("/public/r.html", "/o/t", "../o/t/")],
)
def test_links_lead_from_the_page_to_the_output_folder(page_at: str, output: str, expected: str) -> None:
    assert way(Path(page_at), Path(output)) == expected


def test_the_report_stands_in_the_run_and_as_the_newest(tmp_path: Path) -> None:
    run_folder = tmp_path / "runs" / RUN_ID
    report(green(), ReporterContext(output=tmp_path, run_folder=run_folder))
    own, newest = (run_folder / REPORT).read_text(), (tmp_path / REPORT).read_text()
    assert blocks(own)["files"] == b"../../"
    assert blocks(newest)["files"] == b""
    assert blocks(own)["run"] == blocks(newest)["run"]


def test_the_newest_goes_where_it_was_told(tmp_path: Path) -> None:
    asked = tmp_path / "public" / "index.html"
    context = ReporterContext(output=tmp_path / "o", run_folder=tmp_path / "o/runs/1", path=asked)
    report(green(), context)
    assert asked.is_file()
    assert not (tmp_path / "o" / REPORT).exists()
    assert blocks(asked.read_text())["files"] == b"../o/"

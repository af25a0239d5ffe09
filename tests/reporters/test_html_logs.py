"""What an attempt shows of the logs of its services: which lines, how many of them, and what it says of the rest."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.formats.page import blocks, told
from support.stories import BEGAN, Story, a_phase, a_plan, a_test, good_cases

from e2e_orchestrator.model import events
from e2e_orchestrator.model.outcomes import Attempt, Reason, ServiceLog, because
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.reporters.html_details import Evidence
from e2e_orchestrator.reporters.html_logs import OF_BAD, OF_GOOD, Measure, logs_of
from e2e_orchestrator.reporters.html_moments import Moments
from e2e_orchestrator.reporters.html_page import page

LOG = "runs/a/services/api.log"
SMALL = Measure(bytes=100, lines=3, around_bytes=40, around_lines=2)
NOON = BEGAN.timestamp()


def the_log(tmp_path: Path, data: bytes, times: bytes | None = None) -> Evidence:
    path = tmp_path / LOG
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if times is not None:
        path.with_name("api.log.times").write_bytes(times)
    return Evidence(root=tmp_path)


def shown(evidence: Evidence, begin: int, end: int, *, measure: Measure = SMALL, **more: Any) -> Any:
    log = ServiceLog(service="api", log=more.pop("log", LOG), begin=begin, end=end, tail=more.pop("tail", ""))
    test = a_test("p", "t")
    attempt = Attempt(
        number=1, started_at=BEGAN.isoformat(), duration=2.0, verdict=because(Reason.TEST_FAILURES), slot=0, services=(log,)
    )  # fmt: skip
    state = TestState(test=test, attempts=[attempt])
    return logs_of(state, evidence=evidence, measure=measure)["1"][0]


def lines(number: int) -> bytes:
    """Of ten bytes each."""
    return b"".join(b"line %4d\n" % at for at in range(number))


def numbers(slice_: Any) -> list[int]:
    return [int(line.split()[-1]) for line in slice_["lines"]]


@pytest.mark.parametrize(
    ("span", "expected", "around", "left"),
    [
        pytest.param((50, 70), [3, 4, 5, 6, 7, 8], [2, 2], 0, id="its lines stand between two before and two after"),
        pytest.param((50, 50), [3, 4, 5, 6], [2, 2], 0, id="a silent service shows what it said around"),
        pytest.param((50, 80), [3, 4, 5, 6, 7, 8, 9], [2, 2], 0, id="as many lines as may be are all shown"),
        pytest.param((50, 90), [6, 7, 8, 9, 10], [0, 2], 10, id="of more the last ones are, and how much is missing"),
        pytest.param((0, 600), [57, 58, 59, 60, 61], [0, 2], 570, id="of very many too"),
        pytest.param((55, 62), [3, 4, 5, 6, 7, 8], [2, 2], 0, id="a line that began or ended in it is its own"),
        pytest.param((980, 1000), [96, 97, 98, 99], [2, 0], 0, id="after the last line there is nothing"),
        pytest.param((0, 10), [0, 1, 2], [0, 2], 0, id="before the first line there is nothing"),
    ],
)  # fmt: skip
def test_which_lines_are_shown(
    span: tuple[int, int], expected: list[int], around: list[int], left: int, tmp_path: Path
) -> None:
    slice_ = shown(the_log(tmp_path, lines(100)), *span)
    assert (numbers(slice_), slice_["around"], slice_["left"]) == (expected, around, left)
    assert (slice_["begin"], slice_["end"], slice_["log"], slice_["gone"]) == (*span, LOG, False)
    assert len(slice_["at"]) == len(slice_["lines"])


def stamps(tmp_path: Path, *notes: tuple[float, int]) -> list[int | None]:
    """Of lines 3 to 8, of which 5 and 6 are the attempt's, which began at noon and took two seconds."""
    times = b"".join(b"%.3f %d\n" % (NOON + seconds, byte) for seconds, byte in notes)
    found: list[int | None] = shown(the_log(tmp_path, lines(100), times), 50, 70)["at"]
    return found


def test_lines_say_when_they_came(tmp_path: Path) -> None:
    found = stamps(tmp_path, (-9, 0), (-3, 40), (0.5, 50), (1.25, 60), (4, 70))
    assert found == [-9000, -3000, 500, 1250, 4000, 4000]


@pytest.mark.parametrize(
    ("notes", "expected"),
    [
        pytest.param([(-3, 0), (-3600, 50), (-3599, 70)], [-3000, -3000, None, None, None, None], id="back"),
        pytest.param([(-3, 0), (3600, 50), (3601, 70)], [-3000, -3000, None, None, 3601000, 3601000], id="ahead"),
        pytest.param([(7200, 0), (0.5, 50), (3, 70)], [None, None, 500, 500, 3000, 3000], id="before it began"),
    ],
)  # fmt: skip
def test_where_the_clock_was_set_nothing_is_said_rather_than_something_wrong(
    notes: Sequence[tuple[float, int]], expected: list[int | None], tmp_path: Path
) -> None:
    assert stamps(tmp_path, *notes) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\xff\xfe \xe2\x82\n", ["\ufffd\ufffd \ufffd"], id="bytes that are no text"),
        pytest.param(b"10%\r50%\r100%\n", ["10%\r50%\r100%"], id="a progress bar is one line"),
        pytest.param(b"\x00\x1b[2J</script>\n", ["\x00\x1b[2J</script>"], id="text stays text"),
        pytest.param(b"no end", ["no end"], id="a last line without an end"),
        pytest.param(b"\n\n", ["", ""], id="empty lines"),
    ],
)
def test_lines_as_services_print_them(data: bytes, expected: list[str], tmp_path: Path) -> None:
    assert shown(the_log(tmp_path, data), 0, len(data), measure=OF_BAD)["lines"] == expected


def test_of_a_line_without_end_the_end_is_shown(tmp_path: Path) -> None:
    data = b"before\n" + b"x" * 1_000_000 + b" this is it\nand after\n"
    slice_ = shown(the_log(tmp_path, data), 7, len(data), measure=OF_BAD)
    first, second = slice_["lines"]
    assert first.startswith("[… ")
    assert first.endswith(" this is it")
    assert second == "and after"
    assert len(json.dumps(slice_)) < 4_000
    assert slice_["left"] == len(data) - 7 - OF_BAD.bytes


@pytest.mark.parametrize(
    ("log", "begin", "end"),
    [
        pytest.param("runs/a/services/gone.log", 0, 20, id="no such file"),
        pytest.param("../outside.log", 0, 20, id="a way out of the folder"),
        pytest.param("runs/a/services", 0, 20, id="a folder"),
        pytest.param("runs/a\0/x.log", 0, 20, id="a null byte"),
        pytest.param(LOG, 5_000, 5_020, id="a file that was cut short"),
        pytest.param(LOG, 1 << 70, (1 << 70) + 20, id="an absurd place"),
    ],
)
def test_what_cannot_be_read_is_told_by_the_journal(log: str, begin: int, end: int, tmp_path: Path) -> None:
    output = tmp_path / "output"
    (tmp_path / "outside.log").write_bytes(b"secret " * 10)
    slice_ = shown(the_log(output, lines(3)), begin, end, log=log, tail="the last\nwords\n")
    assert (slice_["lines"], slice_["gone"], slice_["left"]) == (["the last", "words"], True, 5)


def a_run(tmp_path: Path) -> tuple[RunState, Moments]:
    """Four tests of which every other failed, each beside 60,000 bytes of log that do not pack well."""
    chance = random.Random(7)
    log = b"".join(b"%s\n" % chance.randbytes(30).hex().encode() for _ in range(4_000))
    the_log(tmp_path, log)
    tests = [a_test("p", f"t{at}") for at in range(4)]
    story = Story().start(a_plan(a_phase("p", *tests))).tell(events.PhaseStarted(phase="p"))
    for at, test in enumerate(tests):
        log_ = ServiceLog(service="api", log=LOG, begin=60_000 * at, end=60_000 * (at + 1))
        verdict = because(Reason.TEST_FAILURES) if at % 2 else None
        story.attempt(test, cases=good_cases(test, 1), verdict=verdict, services=(log_,))
        story.end_test(test, verdict)
    run, moments = RunState(), Moments()
    for envelope in story.end(1):
        run.apply(envelope)
        moments.apply(envelope)
    return run, moments


@pytest.mark.parametrize(
    ("soft", "hard", "kept"),
    [
        pytest.param(
            10 << 20, 25 << 20, {"logs-0", "logs-1", "logs-2", "logs-3"}, id="all of them have room"
        ),
        pytest.param(0, 25 << 20, {"logs-1", "logs-3"}, id="above the soft limit only those of failures"),
        pytest.param(0, 0, set(), id="above the hard limit none"),
    ],
)
def test_logs_keep_to_the_budget_and_what_is_missing_is_said(
    soft: int, hard: int, kept: set[str], tmp_path: Path
) -> None:
    run, moments = a_run(tmp_path)
    html = page(run, moments, evidence=Evidence(root=tmp_path), soft=soft, hard=hard).at("").decode()
    assert {name for name in blocks(html) if name.startswith("logs-")} == kept
    left = {one["kind"]: one for one in told(html)["left"]}
    if len(kept) < 4:
        assert left["logs of services"] == {
            "kind": "logs of services",
            "count": 4 - len(kept),
            "bytes": 60_000 * (4 - len(kept)),
            "where": "runs/",
        }
    else:
        assert left == {}


def test_a_failure_shows_much_and_a_pass_little(tmp_path: Path) -> None:
    run, _ = a_run(tmp_path)
    evidence = Evidence(root=tmp_path)
    good, bad, *_ = run.tests
    much = logs_of(bad, evidence=evidence, measure=OF_BAD)["1"][0]
    little = logs_of(good, evidence=evidence, measure=OF_GOOD)["1"][0]
    assert (len(much["lines"]), len(little["lines"])) == (400 + 10, 60 + 5)

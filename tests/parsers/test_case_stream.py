"""The case stream: told apart, bounded, and never believed more than it proves."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e_orchestrator.model.outcomes import Attachment, Case, CaseStatus
from e2e_orchestrator.parsers.case_stream import (
    CaseStreamReader,
    Collected,
    Finished,
    Problem,
    ProblemKind,
    SessionFinished,
    SessionStarted,
    Started,
    StreamEvent,
    StreamEvidence,
    read_stream,
)


def line(event: str, **fields: Any) -> bytes:
    return json.dumps({"event": event, **fields}).encode() + b"\n"


def feed(*lines: bytes) -> list[StreamEvent]:
    return CaseStreamReader().feed(b"".join(lines))


def evidence(tmp_path: Path, *lines: bytes) -> StreamEvidence:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join(lines))
    return read_stream(path)


def test_every_event_has_its_type() -> None:
    events = feed(
        line("session_started", tool="pytest", pid=7, stacks=True, writer="w"),
        line("collected", ids=["a", "b"], writer="w"),
        line("case_started", id="a", writer="w"),
        line(
            "case_finished",
            id="a",
            status="failed",
            duration=1.5,
            message="\x1b[31mbad\x1b[0m",
            line=3,
            writer="w",
        ),
        line("collection_error", id="x.py", message="broken", writer="w"),
        line("session_finished", exit_status=1, deselected=2, writer="w"),
    )
    assert events == [
        SessionStarted(tool="pytest", pid=7, stacks=True, writer="w"),
        Collected(ids=("a", "b")),
        Started(id="a"),
        Finished(case=Case(id="a", status=CaseStatus.FAILED, duration=1.5, message="bad", line=3)),
        Problem(kind=ProblemKind.COLLECTION_ERROR, message="broken", where="x.py"),
        SessionFinished(exit_status=1, deselected=2),
    ]


@given(st.lists(st.integers(1, 40)))
def test_the_pieces_in_which_bytes_arrive_do_not_matter(sizes: list[int]) -> None:
    data = b"".join(line("case_started", id=f"case ż {number}") for number in range(5))
    reader, events, rest = CaseStreamReader(), [], data
    for size in sizes:
        events += reader.feed(rest[:size])
        rest = rest[size:]
    events += reader.feed(rest)
    assert events == feed(data)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    reader = CaseStreamReader()
    reader.feed(data)
    assert Started(id="next") in reader.feed(b"\n" + line("case_started", id="next"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "id",
    "ids",
    "status",
    "duration",
    "message",
    "file",
    "line",
    "attachments",
    "exit_status",
    "writer",
    "pid",
]
EVENTS = [
    "session_started",
    "collected",
    "case_started",
    "case_finished",
    "case_retried",
    "error",
    "session_finished",
]


@given(st.sampled_from(EVENTS), st.dictionaries(st.sampled_from(KEYS), JSON))
def test_no_field_of_a_wrong_type_breaks_the_reader(event: str, fields: dict[str, Any]) -> None:
    state = StreamEvidence()
    for one in feed(line(event, **fields)):
        state.apply(one)


def test_lines_count_from_1_and_others_are_none() -> None:
    told = feed(*(line("case_finished", id="a", status="failed", line=number) for number in (-1, 0, 1)))
    assert [one.case.line for one in told if isinstance(one, Finished)] == [None, None, 1]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"no json\n", id="no JSON"),
        pytest.param(b"\xff\xfe\x00\n", id="no UTF-8"),
        pytest.param(b"[1, 2]\n", id="no object"),
        pytest.param(b'{"event": 3}\n', id="an event that is no text"),
        pytest.param(b"[" * 200_000 + b"\n", id="nesting without end"),
        pytest.param(b"9" * 10_000 + b"\n", id="a number too long to convert"),
        pytest.param(b'{"event": "case_started", "id": "' + b"x" * (2 << 20) + b'"}\n', id="a line of 2 MB"),
    ],
)
def test_garbage_is_counted_and_the_next_line_is_read(garbage: bytes) -> None:
    reader = CaseStreamReader()
    assert reader.feed(garbage + line("case_started", id="a")) == [Started(id="a")]
    assert reader.garbage == 1


def test_a_line_without_end_is_not_kept() -> None:
    reader = CaseStreamReader()
    for _ in range(40):
        assert reader.feed(b"x" * 100_000) == []
    assert reader.feed(b"\n" + line("case_started", id="a")) == [Started(id="a")]


def test_attachments_stay_apart_until_a_runner_has_looked_at_them(tmp_path: Path) -> None:
    raw = [{"name": "shot", "path": "/etc/passwd", "content_type": "image/png"}, {"name": "no path"}, 3]
    finished = line("case_finished", id="a", status="passed", attachments=raw)
    (event,) = feed(finished)
    attachment = Attachment(name="shot", path="/etc/passwd", content_type="image/png")
    assert event == Finished(case=Case(id="a", status=CaseStatus.PASSED), attachments=(attachment,))
    assert evidence(tmp_path, finished).cases["a"].attachments == (attachment,)


def test_unknown_events_and_cases_without_an_id_are_left_out() -> None:
    assert feed(line("weather", id="a"), line("case_started"), line("case_finished", status="passed")) == []


def test_only_what_failed_can_be_the_failure_of_several_cases() -> None:
    told = {"shared_failure": True}
    statuses = [*CaseStatus, "no word of ours"]
    events = feed(*(line("case_finished", id=one, status=one, **told) for one in statuses))
    shared = [one.case.id for one in events if isinstance(one, Finished) and one.case.shared_failure]
    assert shared == ["failed", "error", "timeout", "no word of ours"]
    (one,) = feed(line("case_finished", id="a", status="failed", shared_failure="yes"))
    assert isinstance(one, Finished)
    assert not one.case.shared_failure


def test_a_status_that_nobody_knows_is_no_pass() -> None:
    (event,) = feed(line("case_finished", id="a", status="splendid"))
    assert isinstance(event, Finished)
    assert event.case.status is CaseStatus.ERROR
    assert "splendid" in (event.case.message or "")


@pytest.mark.parametrize("duration", ["1", None, True, -3, 1e300, float("nan"), float("inf"), []])
def test_a_duration_is_a_number_of_seconds_or_nothing(duration: object) -> None:
    (event,) = feed(line("case_finished", id="a", status="passed", duration=duration))
    assert isinstance(event, Finished)
    assert 0 <= event.case.duration <= 1


def test_only_the_writer_that_opened_the_stream_is_heard(tmp_path: Path) -> None:
    found = evidence(
        tmp_path,
        line("session_started", writer="real"),
        line("case_started", id="a", writer="real"),
        line("session_started"),
        line("case_finished", id="a", status="passed"),
        line("case_finished", id="a", status="passed", writer="forged"),
        line("session_finished", exit_status=0),
    )
    assert list(found.running) == ["a"]
    assert not found.cases
    assert found.finished is None
    assert found.foreign == 4


def test_a_program_without_a_mark_is_heard_from_its_first_line(tmp_path: Path) -> None:
    found = evidence(tmp_path, line("case_started", id="a"), line("case_finished", id="a", status="passed"))
    assert [case.status for case in found.cases.values()] == [CaseStatus.PASSED]
    assert found.started is None


def test_the_cases_that_were_running_and_those_that_never_ran_are_told_apart(tmp_path: Path) -> None:
    found = evidence(
        tmp_path,
        line("session_started"),
        line("collected", ids=["a", "b"]),
        line("collected", ids=["c"]),
        line("case_started", id="a"),
        line("case_finished", id="a", status="passed"),
        line("case_started", id="b"),
    )
    assert (list(found.cases), list(found.running), found.not_run) == (["a"], ["b"], ["c"])


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    found = evidence(
        tmp_path, line("case_started", id="a"), line("case_finished", id="a", status="passed")[:-5]
    )
    assert list(found.running) == ["a"]


def test_a_case_that_is_retried_is_still_running(tmp_path: Path) -> None:
    found = evidence(tmp_path, line("case_started", id="a"), line("case_retried", id="a"))
    assert list(found.running) == ["a"]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["failed", "passed"], CaseStatus.FLAKY),
        (["passed", "failed"], CaseStatus.FAILED),
        (["failed", "error"], CaseStatus.ERROR),
        (["failed", "skipped"], CaseStatus.SKIPPED),
    ],
)
def test_the_last_status_counts_and_a_pass_after_a_failure_is_flaky(
    tmp_path: Path, statuses: list[str], expected: CaseStatus
) -> None:
    lines = [line("case_finished", id="a", status=one, message=f"said {one}") for one in statuses]
    (case,) = evidence(tmp_path, *lines).cases.values()
    assert case.status is expected
    if expected is CaseStatus.FLAKY:
        assert case.message == "said failed"


@pytest.mark.slow
def test_fifty_thousand_cases_are_all_kept(tmp_path: Path) -> None:
    lines = [line("case_finished", id=f"case {number}", status="passed") for number in range(50_000)]
    found = evidence(tmp_path, *lines)
    assert len(found.cases) == 50_000
    assert not found.overflow


def test_messages_are_bounded_one_by_one_and_together(tmp_path: Path) -> None:
    lines = [
        line("case_finished", id=str(number), status="failed", message="x" * 30_000) for number in range(700)
    ]
    found = evidence(tmp_path, *lines)
    sizes = [len(case.message or "") for case in found.cases.values()]
    assert max(sizes) <= 16 * 1024
    assert sum(sizes) < 9 << 20
    assert all("cut" in (case.message or "") for case in found.cases.values())


def test_a_stream_that_was_never_written_says_nothing(tmp_path: Path) -> None:
    found = read_stream(tmp_path / "missing")
    assert not found.spoken

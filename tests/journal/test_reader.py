"""A journal is readable whatever happened to its writer, and says so when it is something else."""

import json
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import stories
from support.journals import written

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.model.closing import closed
from e2e_orchestrator.model.events import Envelope, RunFinished, encode
from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import RunState, fold
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test

NAMED = {Status.PASSED, Status.FAILED, Status.SKIPPED}
# Those that a journal can hold: it opens with the plan, and hostile text loses its lone surrogates in it.
JOURNALS = {
    name: make
    for name, make in stories.STORIES.items()
    if name not in ("a run that never started", "a hostile run", "a gate that did not hold")
}
WHOLE = b"".join(encode(one) + b"\n" for one in stories.same_names())


def check_consistent(state: RunState) -> None:
    """Every planned test has a named end once the run is closed, and nothing is counted twice."""
    assert state.plan is not None
    planned = [test.id for test in state.plan.tests]
    assert [one.test.id for one in state.tests] == planned
    endings = [end_of_test(one, run=state) for one in state.tests]
    assert {one.status for one in endings} <= NAMED
    assert [closed(one).status for one in state.tests] == [one.status for one in endings]
    assert sum(one.status in NAMED for one in endings) == len(planned)
    assert all(end_of_phase(phase, run=state).status in NAMED for phase in state.phases)
    assert state.done <= len(planned)
    if state.finished is None:
        assert not any(one.verdict.status is Status.PASSED and not one.attempts for one in state.tests)


@pytest.mark.parametrize("story", JOURNALS)
def test_every_prefix_of_a_journal_replays_to_a_consistent_state(story: str, tmp_path: Path) -> None:
    """Whoever is killed at any byte leaves such a prefix."""
    envelopes = JOURNALS[story]()
    path = written(tmp_path, envelopes)
    lengths = [len(encode(one)) + 1 for one in envelopes]
    data = path.read_bytes()
    assert len(data) == sum(lengths)
    states = [RunState()] + [fold(envelopes[:count]) for count in range(1, len(envelopes) + 1)]
    for state in states[1:]:
        check_consistent(state)
    ends = [sum(lengths[:count]) for count in range(len(lengths) + 1)]
    # Of every line no byte, the first, half of them, and all but the line break.
    for whole, (start, end) in enumerate(pairwise(ends)):
        for cut in {start, start + 1, (start + end) // 2, end - 1}:
            path.write_bytes(data[:cut])
            reader = JournalReader(path)
            assert list(reader) == envelopes[:whole]
            assert reader.torn is (cut != start)


def test_zeros_after_a_power_cut_are_a_torn_line(tmp_path: Path) -> None:
    envelopes = stories.green()
    path = written(tmp_path, envelopes)
    path.write_bytes(path.read_bytes() + bytes(512))
    reader = JournalReader(path)
    assert list(reader) == envelopes
    assert reader.torn


def changed(path: Path, number: int, **fields: object) -> None:
    """Replaces fields of one line."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = json.dumps({**json.loads(lines[number - 1]), **fields}).encode() + b"\n"
    path.write_bytes(b"".join(lines))


def test_events_of_a_newer_minor_version_are_left_out_and_counted(tmp_path: Path) -> None:
    envelopes = stories.green()
    path = written(tmp_path, envelopes)
    changed(path, 2, event={"type": "moon_rose", "phase": "full"})
    changed(path, 3, event={"type": "service_ready", "service": "redis", "duration": "a newer kind of value"})
    reader = JournalReader(path)
    found = list(reader)
    assert found == [envelopes[0], *envelopes[3:]]
    assert (reader.unknown, reader.torn) == (2, False)
    assert isinstance(found[-1].event, RunFinished)


def test_new_fields_of_a_newer_minor_version_are_ignored(tmp_path: Path) -> None:
    envelopes = stories.green()
    path = written(tmp_path, envelopes)
    changed(path, 2, mood="good")
    reader = JournalReader(path)
    assert list(reader) == envelopes
    assert reader.unknown == 0


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as refused:
        list(JournalReader(path))
    return str(refused.value)


def without(lines: Iterable[bytes], number: int) -> bytes:
    return b"".join(line for at, line in enumerate(lines, start=1) if at != number)


def test_a_newer_major_version_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = written(tmp_path, stories.green())
    changed(path, 1, schema=2)
    said = refusal(path)
    assert "written by a newer version: its schema is 2, this one reads 1" in said
    assert "upgrade" in said


def test_a_newer_major_version_of_another_shape_is_refused_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"schema": 3, "what": "ever"}\n')
    assert "its schema is 3, this one reads 1" in refusal(path)


@pytest.mark.parametrize("number", [2, 5], ids=["at the beginning", "in the middle"])
def test_a_hole_in_the_numbers_is_refused(tmp_path: Path, number: int) -> None:
    path = written(tmp_path, stories.green())
    path.write_bytes(without(path.read_bytes().splitlines(keepends=True), number))
    assert f"journal.jsonl:{number}: event {number + 1} follows event {number - 1}" in refusal(path)


NO_JOURNALS = {
    "text": b"hello\n",
    "another JSON file": b'{"schema": 1, "run_id": "x"}\n',
    "a list": b"[1]\n",
    "broken JSON in the middle": b"{\n}\n",
    "bytes": b"\xff\xfe\n",
}


@pytest.mark.parametrize("data", NO_JOURNALS.values(), ids=NO_JOURNALS.keys())
def test_no_journal_at_all_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    assert f"{path}:1: this line is no event of a journal" in refusal(path)


def test_a_journal_without_its_beginning_is_refused(tmp_path: Path) -> None:
    last = Envelope(
        seq=1, at="x", mono=0.0, event=RunFinished(exit_code=0, success=True, duration=0.0, why="")
    )
    path = tmp_path / "x"
    path.write_bytes(encode(last) + b"\n")
    assert "a journal opens with run_started" in refusal(path)


def test_a_journal_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in refusal(tmp_path / "none")


def test_an_empty_journal_is_a_run_that_said_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    reader = JournalReader(path)
    assert list(reader) == []
    assert not reader.torn


@given(data=st.binary(max_size=64), at=st.integers(0, 3000), cut=st.integers(0, 64))
def test_no_damage_makes_the_reader_fail_in_another_way_than_by_saying_so(
    data: bytes, at: int, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "journal.jsonl"
    path.write_bytes(WHOLE[:at] + data + WHOLE[at + cut :])
    reader = JournalReader(path)
    found: list[Envelope] = []
    said = str(path)
    try:
        found = list(reader)
    except UsageError as error:
        said = str(error)
    assert str(path) in said
    assert [one.seq for one in found] == sorted({one.seq for one in found})


def test_endless_brackets_are_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"[" * 100_000 + b"\n")
    assert "no event of a journal" in refusal(path)

"""Which run is meant, which is alive, and what little of a journal tells about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.journals import a_run

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.journal.dead import half_written, sorted_runs
from e2e_orchestrator.journal.digest import carried_from, digest, has_finished
from e2e_orchestrator.journal.lock import is_alive, make_run_folder
from e2e_orchestrator.journal.runs import Run, find_run, runs_below

OLD, MIDDLE, NEW = "20260301-120000-bbbbbb", "20260302-120000-cccccc", "20260302-120005-aaaaaa"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    for run_id in (MIDDLE, NEW, OLD):
        a_run(tmp_path, run_id)
    return tmp_path


NAMES = {
    "latest": ("latest", NEW),
    "an id": (OLD, OLD),
    "the beginning of an id": ("20260301", OLD),
    "more of it": ("20260302-120000", MIDDLE),
}


@pytest.mark.parametrize(("words", "meant"), NAMES.values(), ids=NAMES.keys())
def test_a_run_is_found_by(output: Path, words: str, meant: str) -> None:
    assert find_run(words, output=output).id == meant


def test_a_run_is_found_by_its_folder_and_by_its_journal_wherever_they_are(output: Path) -> None:
    folder = output / "runs" / OLD
    for words in (folder, folder / "journal.jsonl"):
        assert find_run(str(words), output=Path("/nowhere")).folder == folder


def refusal(words: str, output: Path) -> str:
    with pytest.raises(UsageError) as refused:
        find_run(words, output=output)
    return str(refused.value)


@pytest.mark.parametrize("words", ["", " "])
def test_a_name_that_is_empty_means_no_run_also_where_there_is_only_one(tmp_path: Path, words: str) -> None:
    a_run(tmp_path, OLD)
    with pytest.raises(UsageError, match="no run is named"):
        find_run(words, output=tmp_path)


def test_words_that_fit_no_run_or_several_are_refused_with_what_there_is(output: Path) -> None:
    assert "'20260302' is the beginning of 2 runs" in refusal("20260302", output)
    assert f"there are: {NEW}, {MIDDLE}" in refusal("20260302", output)
    assert "there is no run 'x'" in refusal("x", output)
    assert "there is no run below /nowhere" in refusal("latest", Path("/nowhere"))


def test_two_runs_of_one_second_are_told_apart_by_their_first_event(tmp_path: Path) -> None:
    late = a_run(tmp_path, "20260301-120000-aaaaaa", started_at="2026-03-01T12:00:00.900+00:00")
    early = a_run(tmp_path, "20260301-120000-bbbbbb", started_at="2026-03-01T12:00:00.100+00:00")
    assert [run.folder for run in runs_below(tmp_path)] == [late, early]


def test_a_run_is_alive_as_long_as_it_holds_its_lock(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / NEW
    lock = make_run_folder(folder)
    assert is_alive(folder)
    assert (folder / "run.lock").read_text() == f"{os.getpid()}\n"
    lock.release()
    assert not is_alive(folder)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / NEW
    hold = (
        "import sys, pathlib; from e2e_orchestrator.journal.lock import make_run_folder;"
        "make_run_folder(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_alive(folder)
        holder.kill()
        holder.wait()
        assert not is_alive(folder)


def test_latest_is_none_that_still_goes_on(output: Path) -> None:
    lock = make_run_folder(output / "runs" / "20990101-000000-dddddd")
    a_run(output / "other", "20990101-000000-dddddd")
    journal = output / "other" / "runs" / "20990101-000000-dddddd" / "journal.jsonl"
    journal.rename(output / "runs" / "20990101-000000-dddddd" / "journal.jsonl")
    assert find_run("latest", output=output).id == NEW
    assert find_run("2099", output=output).alive
    lock.release()
    assert find_run("latest", output=output).id.startswith("2099")


def test_runs_are_sorted_into_alive_dead_and_finished(output: Path) -> None:
    dead = a_run(output, "20260303-000000-000000", exit_code=None)
    lock = make_run_folder(output / "runs" / "20260304-000000-000000")
    told = sorted_runs(output)
    assert [run.id for run in told.alive] == ["20260304-000000-000000"]
    assert [run.folder for run in told.dead] == [dead]
    assert [run.id for run in told.finished] == [NEW, MIDDLE, OLD]
    lock.release()


def test_a_finished_run_is_told_in_one_line(output: Path) -> None:
    folder = a_run(output, "20260303-000000-000000", exit_code=1)
    one = digest(Run(folder=folder))
    assert (one.status, one.exit_code, one.why, one.duration) == ("no go", 1, "because", 1.5)
    assert one.counts == {"tests": 2, "passed": 1, "failed": 1, "flaky": 1}
    assert one.finished


def test_a_run_that_did_not_finish_is_told_up_to_its_last_whole_line(output: Path) -> None:
    folder = a_run(output, "20260303-000000-000000", exit_code=None)
    with (folder / "journal.jsonl").open("ab") as file:
        file.write(b'{"seq":3,"at":"x","mono":77.0,"event":{"type":"run_finis')
    one = digest(Run(folder=folder))
    assert (one.status, one.exit_code, one.duration) == ("unfinished", None, 2.0)
    assert one.counts == {"tests": 2}
    assert not has_finished(Run(folder=folder))


def test_a_folder_of_somebody_else_is_no_run(output: Path) -> None:
    (output / "runs" / "mine").mkdir()
    (output / "runs" / "link").symlink_to(output / "runs" / OLD)
    assert [run.id for run in runs_below(output)] == [NEW, MIDDLE, OLD]


DAMAGE = {
    "no journal": None,
    "an empty one": b"",
    "a torn first line": b'{"seq":1,"at":"2026',
    "noise": b"\xff\n",
}


@pytest.mark.parametrize("data", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_digest_survives(tmp_path: Path, data: bytes | None) -> None:
    folder = tmp_path / "runs" / NEW
    folder.mkdir(parents=True)
    if data is not None:
        (folder / "journal.jsonl").write_bytes(data)
    one = digest(Run(folder=folder))
    assert (one.run_id, one.status, one.finished) == (NEW, "unfinished", False)


def test_reports_after_the_end_do_not_hide_it(output: Path) -> None:
    with (output / "runs" / NEW / "journal.jsonl").open("a") as file:
        file.write('{"seq":4,"at":"x","mono":9,"event":{"type":"reporter_failed"},"schema":1}\n')
    assert digest(Run(folder=output / "runs" / NEW)).status == "go"


def test_the_runs_that_a_rerun_points_to_stand_at_its_beginning(output: Path) -> None:
    folder = a_run(output, "20260303-000000-000000", carried_from=[OLD, MIDDLE, OLD])
    assert carried_from(Run(folder=folder)) == {OLD, MIDDLE}
    assert carried_from(Run(folder=output / "runs" / NEW)) == set()


HALF = ".0123456789abcdef.tmp"


def test_half_written_files_are_those_of_dead_runs_only(output: Path) -> None:
    dead = a_run(output, "20260303-000000-000000", exit_code=None)
    for folder in (dead / "p", output / "runs" / NEW, output):
        folder.mkdir(exist_ok=True)
        (folder / HALF).touch()
        (folder / ".mine.tmp").touch()
    assert set(half_written(output)) == {dead / "p" / HALF, output / HALF}
    lock = make_run_folder(output / "runs" / "20260304-000000-000000")
    assert half_written(output) == [dead / "p" / HALF], "the one at the top may be of the run that goes on"
    lock.release()

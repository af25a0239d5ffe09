"""Replays of real runs: the same bytes as the live reports, from the journal alone."""

import shutil
from pathlib import Path

import pytest
from support.project import Finished, Project, wait_until

from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import fold
from e2e_orchestrator.reporters.unfinished import end_of_test

MIXED = {
    "test_good.py": "def test_x(): pass\ndef test_y(): pass\n",
    "test_bad.py": "import pytest\ndef test_z(): assert 1 == 2\n@pytest.mark.skip\ndef test_s(): pass\n",
    "test_once.py": "import os\ndef test_f(): assert os.environ['E2E_ATTEMPT'] == '2'\n",
}


@pytest.fixture
def mixed(project: Project) -> Project:
    """Passed, failed, flaky and blocked tests."""
    project.write(MIXED)
    return project.phases(
        [
            {"name": "p", "tests": {"good": "test_good.py", "bad": "test_bad.py"}},
            {"name": "q", "tests": {"blocked": "test_good.py"}},
        ],
    )


def files(run: Finished) -> dict[str, bytes]:
    return {str(path.relative_to(run.output)): data for path, data in run.written()}


def test_a_replay_writes_the_same_bytes_and_prints_the_same_lines(mixed: Project) -> None:
    live = mixed.run()
    before = files(live)
    replayed = mixed.run("replay", "latest", "--report", "console", "json")
    assert replayed.exit_code == live.exit_code == 1
    assert files(replayed) == before
    assert replayed.stdout == live.stdout
    assert replayed.stderr == ""


@pytest.mark.slow
def test_reports_that_were_deleted_come_back_the_same(mixed: Project) -> None:
    live = mixed.run("--report", "console,json")
    before = files(live)
    for name in ("e2e-results.json", "good.json", "bad.json"):
        (live.output / name).unlink()
    mixed.run("replay", "--report", "json", "latest")
    assert files(live) == before


@pytest.mark.slow
def test_a_replay_into_another_folder_changes_no_byte_of_the_report(mixed: Project) -> None:
    live = mixed.run()
    before = files(live)
    replayed = mixed.finish(
        mixed.start("replay", live.last_line["run_id"], "--report", "json", "--output", "copy"), output="copy"
    )
    assert replayed.exit_code == 1
    assert files(live) == before
    for name in ("e2e-results.json", "good.json", "bad.json"):
        assert (replayed.output / name).read_bytes() == before[name]


@pytest.mark.slow
def test_a_named_report_goes_where_it_is_named(mixed: Project) -> None:
    live = mixed.run()
    mixed.run("replay", "--report", "json=out/again.json")
    assert (mixed.root / "out/again.json").read_bytes() == (live.output / "e2e-results.json").read_bytes()


@pytest.mark.slow
def test_the_replay_of_an_older_run_overwrites_no_newer_report(mixed: Project) -> None:
    first = mixed.run("--phase", "p")
    results = (first.output / "e2e-results.json").read_bytes()
    second = mixed.run("--phase", "q")
    before = (second.output / "e2e-results.json").read_bytes()
    assert mixed.run("replay", first.last_line["run_id"], "--report", "json").exit_code == 1
    assert (second.output / "e2e-results.json").read_bytes() == before
    copy = Path(first.last_line["run_folder"]) / "replay" / "e2e-results.json"
    assert copy.read_bytes() == results


@pytest.mark.slow
def test_a_rerun_is_replayed_from_its_own_journal_alone(project: Project) -> None:
    project.write({"gated.sh": "test -e fixed\n"}).commands({"a": "true", "b": "sh gated.sh"})
    first = project.run()
    (project.root / "fixed").touch()
    live = project.run("--last-failed")
    shutil.rmtree(first.last_line["run_folder"])
    replayed = project.run("replay", "--report", "console", "json=again.json")
    assert replayed.exit_code == 0
    assert (project.root / "again.json").read_bytes() == (live.output / "e2e-results.json").read_bytes()


WAYS = {
    "a folder": lambda run: run.last_line["run_folder"],
    "a journal file": lambda run: f"{run.last_line['run_folder']}/journal.jsonl",
    "the beginning of its id": lambda run: run.last_line["run_id"][:18],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WAYS.values(), ids=WAYS.keys())
def test_a_run_is_named_by(project: Project, name) -> None:
    run = project.commands({"t": "true"}).run()
    replayed = project.run("replay", name(run))
    assert replayed.exit_code == 0
    assert "GO: 1 test passed" in replayed.stdout


def test_a_journal_that_was_copied_elsewhere_is_enough(project: Project) -> None:
    run = project.commands({"t": "false"}).run()
    shutil.copy(Path(run.last_line["run_folder"]) / "journal.jsonl", project.root / "seen.jsonl")
    shutil.rmtree(run.output)
    replayed = project.run("replay", "seen.jsonl", "-q")
    assert replayed.exit_code == 1
    assert "NO GO: 1 required phase failed: p" in replayed.stdout


@pytest.mark.slow
def test_a_run_that_was_killed_never_finished(project: Project) -> None:
    project.write({"hang.sh": "touch started; sleep 300\n"}).commands(
        {"a": "sh hang.sh", "b": "true"}, parallel=False
    )
    process = project.start()
    wait_until((project.root / "started").exists)
    process.kill()
    process.communicate()
    [folder] = (project.root / "test-results/runs").iterdir()
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"seq":4,"at"')
    replayed = project.run("replay", "latest", "--report", "console,json")
    assert replayed.exit_code == 1
    assert "this run never finished" in replayed.stderr
    assert "torn" in replayed.stderr
    assert replayed.ends == {"p/a": "interrupted", "p/b": "cancelled"}
    assert replayed.results["complete"] is False
    assert "NO GO: the run did not finish" in replayed.stdout


def test_every_prefix_of_the_journal_of_a_real_run_replays_to_a_consistent_state(project: Project) -> None:
    """A killed writer can leave any number of bytes."""
    journal = project.commands({"a": "true", "b": "false"}).run().folder / "journal.jsonl"
    whole = journal.read_bytes()
    envelopes = list(JournalReader(journal))
    for length in range(len(whole)):
        journal.write_bytes(whole[:length])
        reader = JournalReader(journal)
        found = list(reader)
        assert found == envelopes[: whole.count(b"\n", 0, length)]
        assert reader.torn is bool(length and not whole.startswith(b"\n", length - 1))
        state = fold(found)
        ends = [end_of_test(test, run=state).status for test in state.tests]
        assert len(ends) == (2 if found else 0)
        assert not {Status.PENDING, Status.RUNNING} & set(ends)


def test_a_report_that_cannot_be_written_is_exit_code_5(project: Project) -> None:
    project.write({"file": ""}).commands({"t": "true"}).run()
    replayed = project.run("replay", "--report", "json=file/x.json")
    assert replayed.exit_code == 5
    assert "report 'json' failed" in replayed.stderr


@pytest.mark.slow
def test_what_does_not_exist_is_a_usage_error(project: Project) -> None:
    nothing = project.run("replay")
    assert nothing.exit_code == 2
    assert "there is no run below" in nothing.stderr
    project.commands({"t": "true"}).run()
    assert "there is no run 'x'" in project.run("replay", "x").stderr
    unknown = project.run("replay", "latest", "--report", "jsn")
    assert unknown.exit_code == 2
    assert "did you mean 'json'" in unknown.stderr

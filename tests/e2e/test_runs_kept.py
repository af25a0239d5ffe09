"""The runs of a folder from outside: listed, kept within limits, cleaned up after they were killed."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.journals import a_run
from support.project import Project, processes, wait_until

from e2e_orchestrator.process import tree
from e2e_orchestrator.process.remains import CAN_LOOK, MARKER

HALF_WRITTEN = ".0123456789abcdef.tmp"


def runs(project: Project) -> set[str]:
    return {path.name for path in (project.root / "test-results" / "runs").iterdir()}


def listed(project: Project, *arguments: str) -> list[dict[str, Any]]:
    told: dict[str, Any] = json.loads(project.run("history", "--json", *arguments).stdout)
    assert told["schema"] == 1
    found: list[dict[str, Any]] = told["runs"]
    return found


def kill_with_its_keepers(process: subprocess.Popen[str]) -> None:
    """As a machine that runs out of memory may: everything that would have ended the children."""
    keepers = [pid for pid in tree.descendants_of(process.pid) if "keeper.py" in tree.command_line(pid)]
    victims = [process.pid, *keepers]
    for signum in (signal.SIGSTOP, signal.SIGKILL):  # Stopped first: none may notice the end of another.
        for pid in victims:
            os.kill(pid, signum)
    process.communicate()


def killed(project: Project) -> str:
    """A run that was killed so, and left a child with a clean environment; its id."""
    project.write({"hang.sh": "env -i sleep 301 & sleep 300\n"})
    project.commands({"a": "sh hang.sh"})
    process = project.start(env={"E2E_TEST_MARKER": ""})

    def commands() -> set[str]:
        return {tree.command_line(pid) for pid in tree.descendants_of(process.pid)}

    wait_until(lambda: {"sleep 300", "sleep 301"} <= commands(), what="the children")
    [folder] = (project.root / "test-results/runs").iterdir()
    kill_with_its_keepers(process)
    return folder.name


def test_the_history_of_real_runs(project: Project) -> None:
    project.write({"gated.sh": "test -e fixed\n"}).commands({"a": "true", "b": "sh gated.sh"})
    first = project.run()
    (project.root / "fixed").touch()
    second = project.run("--last-failed")
    newest, oldest = listed(project)
    assert [newest["run_id"], oldest["run_id"]] == [second.last_line["run_id"], first.last_line["run_id"]]
    assert (oldest["status"], oldest["exit_code"], oldest["rerun_of"]) == ("no go", 1, None)
    assert oldest["counts"] == {**oldest["counts"], "tests": 2, "passed": 1, "failed": 1, "flaky": 0}
    assert (newest["status"], newest["exit_code"]) == ("go", 0)
    assert newest["rerun_of"] == oldest["run_id"]
    assert newest["counts"]["carried_over"] == 1
    assert [one["run_id"] for one in listed(project, "--limit", "1")] == [newest["run_id"]]
    table = project.run("history").stdout.splitlines()
    assert table[0].split() == [
        "run",
        "when",
        "verdict",
        "tests",
        "passed",
        "failed",
        "skipped",
        "flaky",
        "duration",
    ]
    assert table[1].startswith(newest["run_id"])
    assert "no go (1)" in table[2]
    assert "\x1b" not in "".join(table)
    assert "\x1b[32m" in project.run("history", "--color", "always").stdout


@pytest.mark.slow
def test_the_history_marks_what_goes_on_and_what_never_finished(project: Project) -> None:
    project.write({"hang.sh": "touch started; exec sleep 300\n"}).commands({"a": "sh hang.sh"})
    process = project.start()
    wait_until((project.root / "started").exists)
    [running] = listed(project)
    assert (running["status"], running["exit_code"], running["counts"]) == ("running", None, {"tests": 1})
    process.kill()
    process.communicate()
    [dead] = listed(project)
    assert dead["status"] == "unfinished"
    assert "unfinished" in project.run("history").stdout


def test_the_history_of_no_runs_says_where_it_looked(project: Project) -> None:
    told = project.run("history", "--output", "none")
    assert (told.exit_code, told.stdout) == (0, f"there is no run below {project.root / 'none'}\n")
    assert listed(project) == []


@pytest.mark.slow
def test_the_folder_that_the_file_names_is_looked_into(project: Project) -> None:
    project.commands({"a": "true"})
    config = json.loads((project.root / "phases.yaml").read_text())
    lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in {**config, "output": "out"}.items())
    (project.root / "phases.yaml").write_text(lines)
    assert project.run().exit_code == 0
    assert len(listed(project)) == 1
    assert project.run("replay").exit_code == 0
    (project.root / "phases.yaml").write_text(f"{lines}wrong: 1\n")
    assert project.run("history").exit_code == 0, "a file that is wrong hides no runs"


@pytest.mark.slow
def test_a_thousand_runs_are_listed_quickly(tmp_path: Path, project: Project) -> None:
    for number in range(1000):
        a_run(project.root / "test-results", f"20260301-{number:06}-abcdef")
    before = _seconds_of_children()
    assert len(listed(project)) == 1000
    assert _seconds_of_children() - before < 10, "no journal is read as a whole"


def _seconds_of_children() -> float:
    """Of the processor: whoever else keeps the machine busy is no matter of this."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_old_runs_go_at_the_end_of_a_run(project: Project) -> None:
    project.phases([{"name": "p", "tests": {"a": "true"}}], kind="command", keep={"runs": 2})
    ids = [project.run().last_line["run_id"] for _ in range(4)]
    assert runs(project) == set(ids[-2:])


def test_a_run_that_fails_tidies_up_as_well_and_keeps_its_exit_code(project: Project) -> None:
    a_run(project.root / "test-results", "20200101-000000-abcdef", started_at="2020-01-01T00:00:00+00:00")
    project.phases([{"name": "p", "tests": {"a": "false"}}], kind="command", keep={"days": 30})
    run = project.run()
    assert run.exit_code == 1
    assert runs(project) == {run.last_line["run_id"]}


@pytest.mark.slow
def test_unlimited_keeps_everything(project: Project) -> None:
    a_run(project.root / "test-results", "20200101-000000-abcdef", started_at="2020-01-01T00:00:00+00:00")
    keep = {"runs": "unlimited", "days": "unlimited", "size": "unlimited"}
    project.phases([{"name": "p", "tests": {"a": "true"}}], kind="command", keep=keep)
    assert project.run().exit_code == 0
    assert len(runs(project)) == 2


@pytest.mark.slow
def test_a_folder_that_cannot_be_removed_changes_no_verdict(project: Project) -> None:
    old = a_run(project.root / "test-results", "20200101-000000-abcdef")
    (old.parent / f".removed-{old.name}").write_text("in the way of the removal")
    run = project.phases([{"name": "p", "tests": {"a": "true"}}], kind="command", keep={"runs": 1}).run()
    assert (run.exit_code, old.exists()) == (0, True)
    assert run.stderr.startswith("E2E_RESULT"), "and nothing is said about it"


@pytest.mark.skipif(not CAN_LOOK, reason="needs /proc")
def test_clean_ends_what_a_killed_run_left_and_nobody_else(project: Project) -> None:
    run_id = killed(project)
    bystander_env = {**os.environ, MARKER: "20000101-000000-000000"}
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=bystander_env
    ) as bystander:
        left = wait_until(lambda: processes(run_id), what="the child that survived")
        output = project.root / "test-results"
        for folder in (output, output / "runs" / run_id):
            (folder / HALF_WRITTEN).touch()
        would = project.run("clean", "--dry-run")
        assert "would end process" in would.stdout
        assert processes(run_id) == left
        assert (output / HALF_WRITTEN).exists()
        done = project.run("clean")
        assert done.exit_code == 0
        ended = [line for line in done.stdout.splitlines() if line.startswith("ended process")]
        assert len(ended) == 3, "the script, its sleep, and the one that lost its environment"
        assert all(f"of run {run_id}: " in line for line in ended)
        assert sorted(line.rpartition(" ")[2] for line in ended) == ["300", "301", "hang.sh"]
        assert processes(run_id) == []
        assert not list(output.rglob(HALF_WRITTEN))
        assert done.stdout.count("removed half-written file") == 2
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert (output / "runs" / run_id / "journal.jsonl").exists(), "for replay and rerun"
    again = project.run("clean")
    assert "nothing to clean" in again.stdout
    assert "1 dead run left nothing behind" in again.stdout


@pytest.mark.slow
@pytest.mark.skipif(not CAN_LOOK, reason="needs /proc")
def test_clean_ends_the_services_of_a_killed_run(project: Project) -> None:
    project.write(
        {"serve.sh": "touch served; exec sleep 302\n", "hang.sh": "touch started; exec sleep 303\n"}
    )
    project.phases(
        [{"name": "p", "tests": {"a": "sh hang.sh"}}],
        kind="command",
        services={"s": {"command": "sh serve.sh"}},
    )
    process = project.start()
    wait_until(lambda: (project.root / "started").exists() and (project.root / "served").exists())
    kill_with_its_keepers(process)
    done = project.run("clean")
    assert done.stdout.count("ended process") == 2
    assert processes(str(project.root)) == []


@pytest.mark.slow
def test_clean_touches_no_run_that_goes_on(project: Project) -> None:
    project.write({"wait.sh": "touch started; until test -e go; do sleep 0.05; done\n"}).commands(
        {"a": "sh wait.sh"}
    )
    process = project.start()
    wait_until((project.root / "started").exists)
    told = project.run("clean", "--all")
    assert (told.exit_code, "1 run goes on: not touched" in told.stdout) == (0, True)
    (project.root / "go").touch()
    assert project.finish(process).exit_code == 0
    assert len(runs(project)) == 1


@pytest.mark.slow
def test_clean_all_removes_every_run_that_does_not_go_on(project: Project) -> None:
    project.commands({"a": "true"}).run()
    a_run(project.root / "test-results", "20200101-000000-abcdef", exit_code=None)
    would = project.run("clean", "--all", "--dry-run")
    assert would.stdout.count("would remove run") == 2
    assert len(runs(project)) == 2
    done = project.run("clean", "--all")
    assert (done.exit_code, done.stdout.count("removed run")) == (0, 2)
    assert runs(project) == set()
    assert (project.root / "test-results/e2e-results.json").exists(), "the newest results stay"


def test_clean_where_there_is_nothing(project: Project) -> None:
    told = project.run("clean", "--output", "none")
    assert (told.exit_code, told.stdout) == (0, f"nothing to clean below {project.root / 'none'}\n")

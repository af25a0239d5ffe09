"""Plug-ins, tests, services and operators that do what nobody expects."""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from support.project import Project, processes, wait_until

from e2e_orchestrator.process import tree

PLUG_INS = """
import sys
from e2e_orchestrator.model.command import Command
from pathlib import Path

class Quiet:
    def __init__(self, context): pass
    async def handle(self, envelope): pass
    async def close(self): pass

class ExitsOnHearing(Quiet):
    async def handle(self, envelope): sys.exit(0)

class ExitsOnClosing(Quiet):
    async def close(self): sys.exit(0)

class Runner:
    def __init__(self, spec): pass
    def command(self, test, spec): return Command(argv=("true",), cwd=Path(test.cwd))
    def judge(self, test, spec, completed): sys.exit(0)

class Clumsy(Runner):
    def command(self, test, spec): raise ValueError("no idea")
"""
ENTRY_POINTS = """
[e2e_orchestrator.reporters]
hearing = plugged:ExitsOnHearing
closing = plugged:ExitsOnClosing
[e2e_orchestrator.runners]
exits = plugged:Runner
clumsy = plugged:Clumsy
"""


@pytest.fixture
def plugged(project: Project) -> Project:
    """A project with a package of plug-ins installed beside it."""
    project.write(
        {
            "site/plugged.py": PLUG_INS,
            "site/plugged-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n",
            "site/plugged-1.0.dist-info/entry_points.txt": ENTRY_POINTS,
        }
    )
    project.env["PYTHONPATH"] = str(project.root / "site")
    return project


@pytest.mark.parametrize("reporter", ["hearing", "closing"])
def test_a_reporter_that_leaves_cannot_take_the_verdict_with_it(plugged: Project, reporter: str) -> None:
    run = plugged.commands({"t": "false"}).run("--report", f"console,json,{reporter}")
    assert run.exit_code == 1
    assert run.last_line["exit_code"] == 1
    assert run.ends == {"p/t": "test_failures"}
    assert f"reporter {reporter} failed: SystemExit" in run.stdout


@pytest.mark.slow
def test_a_runner_that_leaves_proves_nothing(plugged: Project) -> None:
    run = plugged.phases([{"name": "p", "tests": {"t": "x"}}], kind="exits").run()
    assert run.exit_code == 1
    assert run.ends == {"p/t": "evidence_missing"}


@pytest.mark.slow
def test_a_runner_that_breaks_costs_its_own_test_only(plugged: Project) -> None:
    run = plugged.phases([{"name": "p", "tests": {"t": "x"}}], kind="clumsy").run()
    assert run.ends == {"p/t": "infrastructure"}
    assert "ValueError: no idea" in run.tests["p/t"]["error"]
    assert run.exit_code == 5


def test_a_name_that_holds_a_secret_is_refused_because_it_could_not_be_masked(project: Project) -> None:
    project.commands({"hunter2_aaaa": "false", "hunter2_bbbb": "true"})
    run = project.run(env={"A_TOKEN": "hunter2_aaaa", "B_TOKEN": "hunter2_bbbb"})
    assert run.exit_code == 2
    assert "holds the value of a secret" in run.stderr
    assert "hunter2" not in run.stdout + run.stderr


@pytest.mark.slow
def test_a_pipe_in_the_place_of_the_stream_blocks_nobody(project: Project) -> None:
    project.write({"pipe.sh": "rm -f $E2E_EVENTS; mkfifo $E2E_EVENTS $E2E_OUTPUT_DIR/junit.xml; sleep 300\n"})
    run = project.commands({"t": {"target": "sh pipe.sh", "timeout": 2}}).run()
    assert run.ends == {"p/t": "timeout"}
    assert run.seconds < 8


@pytest.mark.slow
def test_a_flood_into_the_stream_does_not_stop_the_clock(project: Project) -> None:
    project.write({"flood.sh": "ulimit -f 60000; yes > $E2E_EVENTS; sleep 300\n"})
    run = project.commands({"t": {"target": "bash flood.sh", "timeout": 3}}).run()
    assert run.ends == {"p/t": "timeout"}
    assert run.tests["p/t"]["duration"] < 10


def test_a_chain_of_processes_deeper_than_our_stack_is_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "children_of", lambda pid: [pid + 1] if pid < 5000 else [])
    assert tree.descendants_of(0) == list(range(1, 5001))


@pytest.mark.slow
def test_long_and_similar_names_keep_folders_of_their_own(project: Project) -> None:
    names = ["\u6e2c" * 120, "\u6e2c" * 119 + "\u8a66", "a b", "a_b", "A_b"]
    project.write({"say.sh": 'echo "$E2E_TEST"\n'})
    run = project.commands(dict.fromkeys(names, "sh say.sh")).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    outputs = {name: run.output / run.tests[f"p/{name}"]["attempts"][0]["output"] for name in names}
    assert {name: path.read_text().strip() for name, path in outputs.items()} == {
        name: name for name in names
    }


@pytest.mark.slow
def test_a_test_that_removes_the_whole_output_loses_files_and_not_the_run(project: Project) -> None:
    project.write({"rm.sh": "rm -rf test-results\n"})
    run = project.commands({"t": "sh rm.sh"}).run()
    assert run.exit_code != 70, run.stderr
    assert run.last_line["exit_code"] == run.exit_code


@pytest.mark.slow
def test_a_stopped_tender_does_not_outlast_the_time_a_ci_gives(project: Project) -> None:
    project.write({"stop.sh": "kill -STOP $PPID; touch started; sleep 300\n"})
    process = project.commands({"t": "sh stop.sh"}).start()
    wait_until((project.root / "started").exists)
    process.send_signal(signal.SIGINT)
    run = project.finish(process)
    assert run.exit_code == 130
    assert run.seconds < 10
    wait_until(lambda: not processes(str(project.root)), what="the end of every process")


@pytest.mark.slow
def test_under_nohup_a_hang_up_is_ignored(project: Project) -> None:
    project.write({"wait.sh": "touch started; until test -e go; do :; done\n"})
    process = project.commands({"t": "sh wait.sh"}).start(prefix=["nohup"])
    wait_until((project.root / "started").exists)
    process.send_signal(signal.SIGHUP)
    (project.root / "go").touch()
    assert project.finish(process).exit_code == 0


@pytest.fixture
def silent_server() -> Iterator[int]:
    """Takes connections, sends one byte a look and never ends a line."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        held: list[socket.socket] = []

        def serve() -> None:
            while not stop.is_set():
                try:
                    held.append(listening.accept()[0])
                except TimeoutError:
                    for one in held:
                        with suppress(OSError):
                            one.send(b"H")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        stop.set()
        thread.join()
        for one in held:
            one.close()


@pytest.mark.slow
def test_a_signal_while_a_reporter_hangs_ends_the_wait_and_not_the_verdict(
    project: Project, silent_server: int
) -> None:
    process = project.commands({"t": "true"}).start(
        "--report", "console,json,slack", env={"SLACK_WEBHOOK": f"http://127.0.0.1:{silent_server}/hook"}
    )
    wait_until(
        lambda: b"run_finished" in b"".join(p.read_bytes() for p in project.root.glob("**/journal.jsonl"))
    )
    process.send_signal(signal.SIGINT)
    run = project.finish(process)
    assert run.seconds < 5
    assert run.exit_code == run.results["exit_code"] == run.last_line["exit_code"] == 0
    assert run.last_line["run_id"]
    assert "GO" in run.stdout


@pytest.mark.slow
def test_a_phase_named_like_a_file_of_ours_is_not_in_its_way(project: Project) -> None:
    names = ["journal.jsonl", "services", "e2e-results.json"]
    run = project.phases([{"name": name, "tests": {"t": "true"}} for name in names], kind="command").run()
    assert run.exit_code == 0, run.stderr
    assert run.ends == {f"{name}/t": "passed" for name in names}
    assert run.journal

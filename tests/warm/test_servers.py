"""Servers come and go: nothing that befalls one changes a verdict, and none outlives its run."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.project import Project, processes, wait_until
from warm_world import interpreter, planned, run

pytestmark = pytest.mark.slow

CONFTEST = """
    import os
    with open("/proc/self/cmdline", "rb") as file:
        way = "warm" if b"warm_server.py" in file.read() else "cold"
    with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "started"), "w") as file:
        file.write(way)
"""
WAITS = """
    import os, threading
    def test_waits():
        open("waiting", "w").close()
        while not os.path.exists("go"):
            threading.Event().wait(0.01)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Five files, of which any may wait; what pytest imports is known."""
    made = Project(tmp_path).write({"conftest.py": CONFTEST, "pytest.ini": "[pytest]\n"})
    return made.write({f"test_{name}.py": "def test_one(): pass\n" for name in "abcde"})


def prepared(project: Project, **runner: object) -> Project:
    python = interpreter(project.root / "venv", {})
    return planned(project, python, {name: f"test_{name}.py" for name in "abcde"}, **runner)


def servers(project: Project) -> list[int]:
    return [
        int(line.partition(":")[0])
        for line in processes(str(project.root))
        if "warm_server.py" in line and Path(f"/proc/{line.partition(':')[0]}/cwd").exists()
    ]


def server_itself(project: Project) -> int:
    """The oldest: the others are forks of it."""
    return min(servers(project))


def ways(attempts: object, project: Project) -> list[str]:
    return [
        (path / "started").read_text()
        for path in sorted((project.root / "test-results" / "runs").glob("*/p/*/attempt-*"))
    ]


def test_by_default_the_first_start_cold_and_tell_the_others_start_warm(project: Project) -> None:
    prepared(project)
    first = run(project, "--workers", "1")
    assert set(first.run.ends.values()) == {"passed"}
    assert ways(first, project) == ["cold", "warm", "warm", "warm", "warm"]
    second = run(project, "--workers", "1")
    assert ways(second, project) == ["warm"] * 5
    assert [way for way, _ in second.chosen] == ["warm"]
    assert processes(str(project.root)) == []


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        pytest.param(["--warm", "off"], {}, id="the command line"),
        pytest.param([], {"E2E_ORCHESTRATE_WARM": "off"}, id="the environment"),
    ],
)
def test_it_can_be_turned_off(project: Project, arguments: list[str], env: dict[str, str]) -> None:
    attempts = run(prepared(project), *arguments, env=env)
    assert ways(attempts, project) == ["cold"] * 5
    assert attempts.chosen == []


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param({"args": ["-n", "2"]}, "pytest-xdist is active", id="arguments"),
        pytest.param({"env": {"PYTHONDEVMODE": "1"}}, "PYTHONDEVMODE is set", id="flags"),
        pytest.param({"env": {"PYTEST_ADDOPTS": "-n1"}}, "pytest-xdist is active", id="what a session tells"),
    ],
)
def test_auto_steps_down_and_says_why(project: Project, given: dict[str, object], why: str) -> None:
    attempts = run(prepared(project, **given), "--workers", "1")
    assert set(attempts.run.ends.values()) == {"passed"}
    assert set(ways(attempts, project)) == {"cold"}
    assert attempts.chosen == [("cold", why)]


def test_a_module_named_like_one_that_is_imported_ahead_is_the_projects_own(project: Project) -> None:
    project.write(
        {
            "deeper/colorsys.py": "OWN = True\n",
            "deeper/test_deeper.py": "import colorsys\ndef test_own(): assert colorsys.OWN\n",
            "conftest.py": CONFTEST,
            "test_a.py": "import colorsys\ndef test_installed(): assert not hasattr(colorsys, 'OWN')\n",
        }
    )
    python = interpreter(project.root / "venv", {})
    planned(project, python, {"a": "test_a.py"})
    run(project, "--warm", "on", "--workers", "1")
    planned(project, python, {"a": "test_a.py", "deeper": "deeper/test_deeper.py"})
    attempts = run(project, "--warm", "on", "--workers", "1")
    assert attempts.run.ends == {"p/a": "passed", "p/deeper": "passed"}
    assert [way for way, _ in attempts.chosen] == ["warm", "cold"]
    assert "colorsys" in attempts.chosen[1][1]


def test_a_server_that_is_killed_takes_no_running_attempt_and_no_verdict_with_it(project: Project) -> None:
    prepared(project).write({"test_b.py": WAITS})
    run(project, "--test", "a", "--warm", "on")
    started = project.start("--warm", "on", "--workers", "1")
    wait_until((project.root / "waiting").exists, what="the second test")
    os.kill(server_itself(project), signal.SIGKILL)
    (project.root / "go").touch()
    finished = project.finish(started)
    assert set(finished.ends.values()) == {"passed"}
    assert all(len(test["attempts"]) == 1 for test in finished.tests.values())
    assert processes(str(project.root)) == []


def test_a_server_that_dies_at_once_costs_no_verdict(project: Project) -> None:
    prepared(project, env={"PYTHONSTARTUP": ""})
    (site,) = (project.root / "venv").glob("lib/python*/site-packages")
    text = "import os, sys\nif 'warm_server.py' in ' '.join(sys.orig_argv): os._exit(9)\n"
    (site / "sitecustomize.py").write_text(text)
    attempts = run(project, "--warm", "on")
    assert set(attempts.run.ends.values()) == {"passed"}
    assert set(ways(attempts, project)) == {"cold"}
    assert [way for way, _ in attempts.chosen] == ["cold"]


def orchestrator(process: subprocess.Popen[str]) -> int:
    return process.pid


def keeper(process: subprocess.Popen[str]) -> int:
    (found,) = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.parent.name.isdigit()
        and b"process/keeper.py" in path.read_bytes()
        and int((path.parent / "stat").read_text().rpartition(")")[2].split()[1]) == process.pid
    ]
    return found


@pytest.mark.parametrize("victim", [orchestrator, keeper])
def test_nothing_is_left_when_somebody_is_killed(
    project: Project, victim: Callable[[subprocess.Popen[str]], int]
) -> None:
    prepared(project).write({"test_b.py": WAITS})
    run(project, "--test", "a", "--warm", "on")
    started = project.start("--warm", "on", "--workers", "1")
    wait_until((project.root / "waiting").exists, what="the second test")
    before = servers(project)
    assert before
    os.kill(victim(started), signal.SIGKILL)
    wait_until(lambda: not set(before) & set(servers(project)), what="the end of the servers")
    (project.root / "go").touch()
    project.finish(started)
    wait_until(lambda: not processes(str(project.root)), what="the end of everything")


def test_a_run_that_is_interrupted_ends_them(project: Project) -> None:
    prepared(project).write({"test_b.py": WAITS})
    run(project, "--test", "a", "--warm", "on")
    started = project.start("--warm", "on", "--workers", "1")
    wait_until((project.root / "waiting").exists, what="the second test")
    started.send_signal(signal.SIGINT)
    finished = project.finish(started)
    assert finished.exit_code == 130
    assert finished.ends["p/b"] == "interrupted"
    assert processes(str(project.root)) == []

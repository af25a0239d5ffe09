"""The HTML report of a real run: live and replayed it is the same, and its command runs the test again."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.formats import page
from support.project import COMMAND, Finished, Project

pytestmark = pytest.mark.slow


def told(report: Path, name: str = "run") -> Any:
    return page.told(report.read_text(), name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path).write(
        {
            "test_good.py": "def test_good(): pass",
            "test_odd [name].py": "import os\ndef test_odd(): assert os.environ['SHOP_TOKEN'] == 'hunter2hunter2'",
            "test_bad.py": "def test_bad():\n    print('printed')\n    assert 1 == 2",
        }
    )
    tests = {"good": "test_good.py", "it's [odd]*": "test_odd [name].py", "bad": "test_bad.py"}
    return project.phases([{"name": "p", "tests": tests}], env={"SHOP_TOKEN": "hunter2hunter2"})


@pytest.fixture
def finished(project: Project) -> Finished:
    finished = project.run("--report", "console,html,json")
    assert finished.exit_code == 1, finished.stderr
    return finished


def test_a_replay_makes_the_same_file(project: Project, finished: Finished) -> None:
    newest, own = finished.output / "e2e-report.html", finished.folder / "e2e-report.html"
    assert f"report   {newest}" in finished.stdout
    before = [newest.read_bytes(), own.read_bytes()]
    newest.unlink()
    assert project.run("replay", "--report", "html").exit_code == 1
    assert [newest.read_bytes(), own.read_bytes()] == before


def test_no_secret_of_the_configuration_is_in_it(finished: Finished) -> None:
    run = told(finished.output / "e2e-report.html")
    at = [one["name"] for one in run["tests"]].index("bad")
    detail = told(finished.output / "e2e-report.html", f"test-{at}")
    assert detail["env"]["SHOP_TOKEN"] == "***"
    assert "hunter2" not in json.dumps([run, detail])
    assert "printed" in detail["attempts"][0]["output"]["text"]


def test_the_command_runs_exactly_this_test_again(finished: Finished) -> None:
    tests = told(finished.output / "e2e-report.html")["tests"]
    assert tests
    for one in tests:
        folder, _, command = one["reproduce"].partition(" && ")
        program, *arguments = shlex.split(command)
        assert program == "e2e-orchestrate"
        output = finished.output.parent / "again"
        again = subprocess.run(
            [*COMMAND, *arguments, "--output", output],
            cwd=shlex.split(folder)[1],
            capture_output=True,
            text=True,
            check=False,
        )
        results = json.loads((output / "e2e-results.json").read_text())
        ran = [(test["name"], test["status"]) for phase in results["phases"] for test in phase["tests"]]
        assert ran == [(one["name"], one["status"])], again.stderr

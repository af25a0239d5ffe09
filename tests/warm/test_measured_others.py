"""Sources that are installed: a server that imported them would have run what is to be measured."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.project import Project, processes
from warm_world import Attempts, interpreter, planned, run

pytestmark = pytest.mark.slow

PACKAGES = {
    "outside/__init__.py": "import os\n\nSIZE = 3 if os.sep else 4\n",
    "outside/deep.py": "def deep():\n    return 1\n\n\nFOUND = deep()\n",
    "uses_outside.py": "import outside.deep\n",
    "leaves.py": "from os import _exit as leave\n",
}
FILES = {
    "pytest.ini": "[pytest]\n",
    "app.py": "def one():\n    return 1\n",
    "conftest.py": "import app, leaves, outside, uses_outside\n",
    **{f"test_{name}.py": "def test_one(): pass\n" for name in "abcde"},
}
OUTSIDE = {"outside/__init__.py": [1, 3], "outside/deep.py": [1, 2, 5]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Path]]:
    root = tmp_path_factory.mktemp("others")
    yield Project(root), interpreter(root / "venv", PACKAGES)
    assert processes(str(root)) == []


def measured(
    world: tuple[Project, Path], tests: str, *, source: list[str], rc: str = "", conftest: str | None = None
) -> Project:
    project, python = world
    shutil.rmtree(project.root / "test-results", ignore_errors=True)
    project.write({**FILES, ".coveragerc": rc, **({"conftest.py": conftest} if conftest else {})})
    return planned(project, python, {name: f"test_{name}.py" for name in tests}, coverage={"source": source})


def second_run(project: Project) -> Attempts:
    """The first tells what is imported; to start warm is then for the packages alone to refuse."""
    run(project, "--warm", "on")
    return run(project, "--warm", "on")


def executed(attempts: Attempts) -> dict[str, list[int]]:
    told: dict[str, Any] = json.loads((attempts.run.folder / "coverage" / "r" / "coverage.json").read_text())
    return {
        name.rpartition("site-packages/")[2]: file["executed_lines"] for name, file in told["files"].items()
    }


@pytest.mark.parametrize(
    ("source", "rc"),
    [
        pytest.param(["outside"], "", id="named as a package"),
        pytest.param(["{site}/outside"], "", id="named as a folder"),
        pytest.param(["app"], "[run]\nsource_pkgs = outside\n", id="in coverage.py's configuration"),
        pytest.param(
            ["{site}/outside"], "[run]\ndisable_warnings = already-imported\n", id="without its warnings"
        ),
    ],
)
def test_what_is_measured_is_not_imported_ahead(
    world: tuple[Project, Path], source: list[str], rc: str
) -> None:
    (site,) = (world[0].root / "venv").glob("lib/python*/site-packages")
    attempts = second_run(measured(world, "a", source=[one.format(site=site) for one in source], rc=rc))
    ((way, why),) = attempts.chosen
    assert way == "warm"
    assert "outside is measured by coverage.py" in why
    assert "uses_outside imports outside" in why
    found = executed(attempts)
    assert {name: found[name] for name in OUTSIDE} == OUTSIDE


def test_whoever_measures_pytest_starts_cold(world: tuple[Project, Path]) -> None:
    attempts = second_run(measured(world, "a", source=["app", "pluggy"]))
    ((way, why),) = attempts.chosen
    assert (way, why) == ("cold", "pluggy is measured by coverage.py")
    assert set(attempts.run.ends.values()) == {"passed"}


def test_what_holds_a_function_that_coverage_replaces_is_not_imported_ahead(
    world: tuple[Project, Path],
) -> None:
    attempts = second_run(measured(world, "a", source=["app"], rc="[run]\npatch = _exit\n"))
    ((way, why),) = attempts.chosen
    assert way == "warm"
    assert "leaves holds what coverage.py replaces" in why


def test_a_configuration_that_changed_is_asked_again(world: tuple[Project, Path]) -> None:
    project = measured(world, "a", source=["app"])
    ((_, before),) = second_run(project).chosen
    assert "not imported ahead" not in before
    project.write({".coveragerc": "[run]\nsource_pkgs = outside\n"})
    ((_, after),) = second_run(project).chosen
    assert "outside is measured by coverage.py" in after


def test_whoever_measures_beside_us_starts_cold(world: tuple[Project, Path]) -> None:
    second = "import coverage\ncoverage.Coverage(data_file=None).start()\n"
    attempts = run(measured(world, "abcde", source=["app"], conftest=second), "--workers", "1")
    assert attempts.chosen == [("cold", "coverage is active")]


@pytest.mark.parametrize("way", ["auto", "on"])
def test_an_environment_that_measures_every_process_starts_cold(
    world: tuple[Project, Path], way: str
) -> None:
    env = {"COVERAGE_PROCESS_START": ".coveragerc"}
    attempts = run(measured(world, "a", source=["app"]), "--warm", way, env=env)
    assert attempts.chosen == [("cold", "COVERAGE_PROCESS_START is set")]

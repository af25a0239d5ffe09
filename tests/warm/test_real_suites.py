"""Suites that nobody here wrote report case by case the same, forked from a server or started by themselves."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from parity.test_pytest_suites import SUITES, Suite, _surroundings
from support.project import Finished, Project

from e2e_orchestrator.model import events

pytestmark = pytest.mark.slow

# Those bring the very modules that the server would have to import ahead.
STAY_COLD = {"iniconfig", "pluggy"}


def told(run: Finished, part: str) -> tuple[Any, ...]:
    test = run.tests[f"p/{part}"]
    cases = {case["id"]: case["status"] for case in test["cases"]}
    return test["status"], test["reason"], test["attempts"][0]["exit_status"], cases


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES.keys())
def test_every_case_ends_the_same(tmp_path: Path, suite: Suite) -> None:
    root = tmp_path / "suite"
    shutil.copytree(suite.source(), root)
    tests = {part: {"target": part, "args": list(suite.args)} for part in suite.parts}
    project = Project(root).phases(
        [{"name": "p", "tests": tests, "required": False, "timeout": 300}], env=_surroundings(suite, root)
    )
    project.env |= {name: "" for name in os.environ if name.startswith("PYTEST_")}
    cold, warm = project.run("--warm", "off"), project.run("--warm", "on")
    assert {part: told(warm, part) for part in suite.parts} == {
        part: told(cold, part) for part in suite.parts
    }
    ways = {one.event.way for one in warm.journal if isinstance(one.event, events.StartChosen)}
    assert ways == ({"cold"} if suite.name in STAY_COLD else {"warm"})

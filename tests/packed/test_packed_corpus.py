"""Misbehaving Playwright suites in one invocation: of each is reported what is true of it alone."""

import json
import shutil
from itertools import pairwise

import pytest
from corpus.catalogue import CONFIG, LEFT_BEHIND, Suite, differences, packable
from support.kinds import needs_playwright, playwright_home
from support.project import Finished, Project, processes

from e2e_orchestrator.model.events import Warned

pytestmark = pytest.mark.slow

SUITES = packable()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    needs_playwright()
    project = Project(tmp_path_factory.mktemp("packed"))
    project.env = {"E2E_TEST_MARKER": str(project.root)}
    (project.root / "node_modules").symlink_to(playwright_home() / "node_modules")
    (project.root / "package.json").write_text("{}")
    tests = {}
    for suite in SUITES:
        shutil.copytree(suite.folder, project.root / suite.name)
        (project.root / suite.name / CONFIG).rename(project.root / CONFIG)
        tests[suite.name] = {
            "target": f"{suite.name}/{suite.target}",
            "timeout": max(20, suite.expect.get("timeout", 60)),  # A pack begins more slowly than a test.
            "env": suite.expect.get("env", {}),
            "args": suite.expect.get("args", []),
        }
    phase = {"name": "playwright", "tests": tests, "timeout": 1000}
    project.phases([phase], kind="playwright", workers=2, timeout=1000)
    process = project.start()
    stdout, stderr = process.communicate(timeout=600)
    return Finished(
        exit_code=process.returncode, stdout=stdout, stderr=stderr, output=project.root / "test-results"
    )


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_each_is_reported_as_what_it_is(packed: Finished, suite: Suite) -> None:
    expect = {**suite.expected(retries=0)}
    if word := LEFT_BEHIND.get(suite.name):
        assert expect.pop("must_appear") == [word]
        assert any(word in one.event.message for one in packed.journal if isinstance(one.event, Warned))
    found = list(differences(packed.tests[f"playwright/{suite.name}"], expect))
    assert not found, f"{found}\n{packed.stdout}"


def test_most_of_them_were_decided_by_packs(packed: Finished) -> None:
    folders = sorted((packed.folder / "packs").glob("*/pack.json"))
    names = [set(json.loads(path.read_text())["tests"]) for path in folders]
    assert len(names) > 1
    assert len(names[0]) > len(SUITES) / 2
    assert all(later < earlier for earlier, later in pairwise(names))


def test_nothing_outlives_the_run(packed: Finished) -> None:
    assert not processes(str(packed.output.parent))

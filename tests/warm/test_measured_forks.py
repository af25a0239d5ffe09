"""Coverage of forks: what coverage.py says of them is what it says of one plain session, line by line and arc by arc."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import pytest
from measured_suite import APP, DOOMED, TESTS
from support.project import Project, processes
from warm_world import Attempts, interpreter, planned, run

pytestmark = pytest.mark.slow

# As coverage.py installs it, but for this interpreter: its processes measure themselves.
STARTS_ITSELF = (
    'import os; os.getenv("COVERAGE_PROCESS_CONFIG") and __import__("coverage").process_startup()\n'
)
PATCHED = "[run]\npatch = subprocess\n"
MEASURED = {"source": ["app", "tests"], "branch": True}
ENDS = {"member": "flaky", "broken": "collection_error", "doomed": "crash"}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was reached, in coverage.py's report and in its raw data; and how attempts started."""

    report: dict[str, Any]
    arcs: dict[str, list[tuple[int, int]]]
    totals: dict[str, Any]
    ends: dict[str, str]
    started: dict[str, list[str]]
    chosen: list[tuple[str, str]]


def name_of(path: str) -> str:
    return Path(path).stem.removeprefix("test_")


def projected(project: Project, python: Path, *, rc: str = PATCHED, **runner: Any) -> Project:
    project.write({**APP, **TESTS, **DOOMED, ".coveragerc": rc})
    tests = {name_of(path): {"target": path} for path in (*TESTS, *DOOMED) if "conftest" not in path}
    tests["member"] |= {"retries": {"max": 1, "delay": 0}}
    return planned(project, python, tests, coverage=MEASURED, **runner)


def told(folder: Path, data: Path) -> dict[str, Any]:
    """The report without what differs between two folders, and the arcs behind it."""
    loaded = json.loads((folder / "coverage.json").read_text())
    keys = ("executed_lines", "missing_lines", "executed_branches", "missing_branches", "contexts")
    report = {name: {key: file.get(key) for key in keys} for name, file in loaded["files"].items()}
    read = coverage.CoverageData(str(data))
    read.read()
    arcs = {Path(name).name: sorted(read.arcs(name) or ()) for name in sorted(read.measured_files())}
    return {"report": report, "arcs": arcs, "totals": loaded["totals"]}


def measured(attempts: Attempts) -> Measured:
    folder = attempts.run.folder / "coverage" / "r"
    started: dict[str, list[str]] = {}
    for path in sorted(attempts.run.folder.glob("p/*/attempt-*/started")):
        started.setdefault(path.parts[-3], []).append(path.read_text())
    ends = {name.removeprefix("p/"): end for name, end in attempts.run.ends.items()}
    return Measured(
        ends=ends, started=started, chosen=attempts.chosen, **told(folder, folder / "coverage.data")
    )


def plain(root: Path, python: Path, *tests: str, source: str = "app,tests") -> dict[str, Any]:
    """One session of all files, without us."""

    def say(*words: str, expected: int = 0) -> None:
        done = subprocess.run(
            [python, "-m", "coverage", *words], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == expected, done.stdout + done.stderr

    wanted = ("-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors", *tests)
    say("run", "--branch", f"--source={source}", *wanted, expected="broken" in str(tests))
    if list(root.glob(".coverage.*")):
        say("combine")
    say("json", "-o", "coverage.json")
    return told(root, root / ".coverage")


@dataclass(frozen=True, kw_only=True)
class All:
    plain: dict[str, Any]
    ways: dict[str, Measured]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[All]:
    root = tmp_path_factory.mktemp("measured")
    python = interpreter(root / "venv", {"zz_starts_itself.pth": STARTS_ITSELF})
    project = projected(Project(root), python)
    ways = {
        "cold": measured(run(project, "--warm", "off")),
        "auto, first run": measured(run(project, "--workers", "1")),
        "auto, second run": measured(run(project)),
        "on": measured(run(project, "--warm", "on")),
        "on, without a record": measured(run(project, "--warm", "on", fresh=True)),
    }
    shutil.rmtree(root / "test-results")
    yield All(plain=plain(root, python, *(path for path in TESTS if "conftest" not in path)), ways=ways)
    assert processes(str(root)) == []


WAYS = ("cold", "auto, first run", "auto, second run", "on", "on, without a record")


@pytest.mark.parametrize("way", WAYS)
def test_it_agrees_with_one_plain_session(every: All, way: str) -> None:
    found = every.ways[way]
    assert found.report == every.plain["report"]
    assert found.arcs == every.plain["arcs"]
    assert found.totals == every.plain["totals"]


@pytest.mark.parametrize("way", WAYS)
def test_the_verdicts_are_the_same(every: All, way: str) -> None:
    assert every.ways[way].ends == {name: ENDS.get(name, "passed") for name in every.ways["cold"].ends}


def test_they_were_started_as_they_were_meant_to_be(every: All) -> None:
    """`auto` waits for a server only so long; what it starts cold on a busy machine is measured all the same."""
    started = {way: found.started for way, found in every.ways.items()}
    assert {one for found in started["cold"].values() for one in found} == {"cold"}
    assert started["auto, first run"]["many"] == ["cold"]
    for way in ("auto, first run", "auto, second run"):
        assert ["warm"] in started[way].values()
        assert started[way]["member"][1] == "cold"
    for way in ("on", "on, without a record"):
        assert {one for found in started[way].values() for one in found} == {"warm"}


def test_the_journal_says_that_they_are_forks(every: All) -> None:
    chosen = dict(every.ways["auto, second run"].chosen)
    assert chosen["warm"].startswith("a server has imported ")
    assert "not imported ahead" not in chosen["warm"]
    assert chosen["cold"] == "a retry has a hash seed of its own"
    assert [way for way, _ in every.ways["on"].chosen] == ["warm"]


def test_the_plain_session_reached_what_these_tests_are_about(every: All) -> None:
    """Or the others could agree on nothing."""
    reached = {name: file["executed_lines"] for name, file in every.plain["report"].items()}
    assert reached["app/tool.py"] == [1, 4, 5, 6, 10, 11]
    assert reached["app/threads.py"] == [1, 4, 5, 6, 7, 10, 11]
    assert reached["app/doomed.py"] == []
    assert reached["app/broken.py"] == [1, 2]
    assert {13, 14, 15, 16, 19, 22, 23} < set(reached["app/shop.py"])
    assert {17, 24, 32, 36}.isdisjoint(reached["app/shop.py"])
    assert reached["tests/conftest.py"] == [1, 2, 4, 5, 6, 7, 10, 11, 12, 13, 14]

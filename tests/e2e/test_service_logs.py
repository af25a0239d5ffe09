"""What services print around an attempt is found again: in the journal, the results and the page, live, replayed and merged."""

from pathlib import Path
from typing import Any

import pytest
from support.formats.page import told
from support.project import Finished, Project
from support.servers import ASKING, FILES, WEB

pytestmark = pytest.mark.slow

PAGE = "e2e-report.html"
SERVICES = {"web": WEB, "cell": {**WEB, "scope": "slot"}, "stage": {**WEB, "scope": "phase"}}
ASK = "sh -c '" + ASKING + " http://127.0.0.1:$%s_PORT/%s; exit %d'"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path).write(FILES)
    first = {"good": ASK % ("WEB", "good-one", 0), "bad": ASK % ("CELL", "bad-one", 1)}
    phases = [
        {"name": "first", "tests": first, "parallel": False, "required": False},
        {"name": "second", "tests": {"other": ASK % ("STAGE", "s3cr3t-0123456789", 1)}, "required": False},
    ]
    return project.phases(phases, kind="command", services=SERVICES)


def run(project: Project, *arguments: str) -> Finished:
    return project.run("--report", "console,json,html", *arguments, env={"MY_TOKEN": "s3cr3t-0123456789"})


def slices(report: Path) -> dict[str, dict[str, Any]]:
    """Test -> service -> the slice of its first attempt."""
    html = report.read_text()
    found = {}
    for at, test in enumerate(told(html)["tests"]):
        found[test["id"]] = {one["service"]: one for one in told(html, f"logs-{at}")["1"]}
    return found


def own(slice_: dict[str, Any]) -> list[str]:
    before, after = slice_["around"]
    lines: list[str] = slice_["lines"]
    return lines[before : len(lines) - after]


def test_an_attempt_has_those_services_that_it_could_have_used(project: Project) -> None:
    run(project)
    found = slices(project.root / "test-results" / PAGE)
    assert {test: sorted(services) for test, services in found.items()} == {
        "first/good": ["cell (slot 0)", "stage (phase first)", "web"],
        "first/bad": ["cell (slot 0)", "stage (phase first)", "web"],
        "second/other": ["cell (slot 0)", "stage (phase second)", "web"],
    }
    assert own(found["first/good"]["web"]) == ["asked for /good-one"]
    assert own(found["first/bad"]["cell (slot 0)"]) == ["asked for /bad-one"]
    assert own(found["second/other"]["stage (phase second)"]) == ["asked for /***"]
    silent = found["first/bad"]["web"]
    assert own(silent) == []
    assert silent["begin"] == silent["end"] > 0
    assert silent["lines"][silent["around"][0] - 1] == "asked for /good-one", "what came before is there"


def test_each_line_says_when_it_came(project: Project) -> None:
    finished = run(project)
    slice_ = slices(finished.output / PAGE)["first/bad"]["cell (slot 0)"]
    [attempt] = finished.tests["first/bad"]["attempts"]
    at = slice_["at"][slice_["around"][0]]
    assert 0 <= at <= attempt["duration"] * 1000
    [told_] = [one for one in attempt["services"] if one["name"] == "cell (slot 0)"]
    log = (finished.output / told_["log"]).read_bytes()
    assert log[told_["begin"] : told_["end"]] == b"asked for /bad-one\n"


def test_a_replay_makes_the_same_page(project: Project) -> None:
    finished = run(project)
    before = (finished.output / PAGE).read_bytes()
    (finished.output / PAGE).unlink()
    project.run("replay", "--report", "html")
    assert (finished.output / PAGE).read_bytes() == before


def test_merged_shards_bring_their_logs_and_times_along(project: Project) -> None:
    for shard in (1, 2):
        run(project, "--shard", f"{shard}/2", "--output", f"results-{shard}")
    for shard in (1, 2):  # As downloads of a job they are gone tomorrow.
        (project.root / f"results-{shard}").rename(project.root / f"gone-{shard}")
    project.run("merge", "gone-1", "gone-2", "--output", "merged", "--report", "html,json")
    for shard in (1, 2):
        (project.root / f"gone-{shard}").rename(project.root / f"lost-{shard}")
    project.run("replay", "--output", "merged", "--report", "html")
    found = slices(project.root / "merged" / PAGE)
    services = {
        test: {name.partition(" (shard")[0]: one for name, one in of.items()} for test, of in found.items()
    }
    assert all("(shard " in name for of in found.values() for name in of)
    bad = services["first/bad"]["cell (slot 0)"]
    assert own(bad) == ["asked for /bad-one"]
    assert bad["at"][bad["around"][0]] is not None
    assert not any(one["gone"] for of in found.values() for one in of.values())


def test_a_service_that_never_came_up_shows_the_end_of_its_log(project: Project) -> None:
    broken = {"command": "sh -c 'echo no such database; exit 3'", "ready": WEB["ready"], "ports": ["x"]}
    project.phases([{"name": "p", "tests": {"t": "true"}}], kind="command", services={"broken": {**broken}})
    finished = run(project)
    assert finished.exit_code == 5, finished.stdout + finished.stderr
    assert told((finished.output / PAGE).read_text(), "log-broken") == {"text": "no such database\n"}

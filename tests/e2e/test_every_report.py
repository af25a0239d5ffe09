"""All reports of one run with every kind of outcome: read by their consumers' rules, live, replayed and merged."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.formats import check
from support.project import Finished, Project

pytestmark = pytest.mark.slow

SUITE = {
    "test_zoo.py": """\
        import os
        import pytest
        FIRST = os.environ["E2E_ATTEMPT"] == "1"
        def test_good(): pass
        def test_once(): assert not FIRST
        @pytest.mark.skip(reason="not today")
        def test_skipped(): pass
        @pytest.mark.xfail
        def test_expected(): assert False
        @pytest.mark.parametrize("user", ["]]>", "::error::x", "<b>", "a|b"])
        def test_bad(user): raise ValueError(f"no user {len(user)} ]]> \\x1b[31m::error::forged")
        @pytest.fixture
        def broken(): raise OSError("no such database")
        def test_error(broken): pass
        """,
    "test_unloadable.py": "import nothing_of_that_name\n",
    "test_dead.py": "import os, signal\ndef test_dead(): os.kill(os.getpid(), signal.SIGKILL)\n",
    "test_fine.py": "def test_fine(): pass\n",
}
REPORTS = "json,junit,ctrf,tap,markdown,gitlab,github"
FILES = (
    "junit.xml",
    "ctrf-report.json",
    "results.tap",
    "summary.md",
    "gl-junit-report.xml",
    "gl-code-quality-report.json",
)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    names = ("zoo", "unloadable", "dead", "fine")
    tests = {name: f"test_{name}.py" for name in names}
    phases = [
        {"name": "optional", "tests": tests, "retries": {"max": 1, "delay": 0}, "required": False},
        {"name": "first", "tests": {"unloadable": "test_unloadable.py", "fine": "test_fine.py"}},
        {"name": "second", "tests": {"blocked": "test_fine.py"}},
    ]
    return (
        Project(tmp_path_factory.mktemp("zoo"))
        .write(SUITE)
        .phases(phases, gates={"min_tests": 1, "min_cases": 1_000})
    )


@pytest.fixture(scope="module")
def live(zoo: Project) -> Finished:
    return zoo.run("--report", REPORTS, env=surroundings(zoo, "live"))


def surroundings(zoo: Project, name: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(zoo.root / f"{name}.md"),
        "GITHUB_OUTPUT": str(zoo.root / f"{name}.env"),
    }


def cases(root: ET.Element) -> Iterator[tuple[str, set[str]]]:
    for case in root.iter("testcase"):
        yield f"{case.get('classname')} {case.get('name')}", {child.tag for child in case} - {"system-out"}


def test_every_report_is_read_by_its_consumers(live: Finished, zoo: Project) -> None:
    assert live.exit_code == 1, live.stdout + live.stderr
    for name in FILES:
        check(name, (live.output / name).read_bytes())
        assert (live.folder / name).read_bytes() == (live.output / name).read_bytes()
    assert "## ⛔ NO GO" in check("live.md", (zoo.root / "live.md").read_bytes())
    outputs = check("live.env", (zoo.root / "live.env").read_bytes())
    assert (outputs["success"], outputs["exit-code"], outputs["run-id"]) == (
        "false",
        "1",
        live.last_line["run_id"],
    )


def test_every_kind_of_outcome_stands_in_junit(live: Finished) -> None:
    told = dict(cases(check("junit.xml", (live.output / "junit.xml").read_bytes())))
    expected = {
        "optional.zoo test_zoo.py::test_good": set(),
        "optional.zoo test_zoo.py::test_once": {"flakyFailure"},
        "optional.zoo test_zoo.py::test_skipped": {"skipped"},
        "optional.zoo test_zoo.py::test_expected": {"skipped"},
        "optional.zoo test_zoo.py::test_bad[<b>]": {"failure", "rerunFailure"},
        "optional.zoo test_zoo.py::test_error": {"error", "rerunError"},
        "optional.unloadable unloadable": {"error", "rerunError"},
        "optional.dead test_dead.py::test_dead": {"error", "rerunError"},
        "first.unloadable unloadable": {"error"},
        "second.blocked blocked": {"skipped"},
        "e2e-orchestrator.gates gate min_tests": set(),
        "e2e-orchestrator.gates gate min_cases": {"failure"},
    }
    assert {name: told.get(name) for name in expected} == expected


def test_what_one_cause_broke_is_one_annotation(live: Finished) -> None:
    errors = [line for line in live.stdout.splitlines() if line.startswith(("::error ", "::warning "))]
    assert sum("no user" in line for line in errors) == 1
    assert sum("nothing_of_that_name" in line for line in errors) == 1
    assert not any(line.startswith("::error::") for line in live.stdout.splitlines())


def test_a_replay_gives_the_same_bytes(live: Finished, zoo: Project) -> None:
    before = {name: (live.output / name).read_bytes() for name in FILES}
    for name in FILES:
        (live.output / name).unlink()
    replayed = zoo.run("replay", "--report", REPORTS, env=surroundings(zoo, "replayed"))
    assert replayed.exit_code == 1
    assert {name: (live.output / name).read_bytes() for name in FILES} == before
    for ending in ("md", "env"):
        assert (zoo.root / f"replayed.{ending}").read_bytes() == (zoo.root / f"live.{ending}").read_bytes()
    assert replayed.stdout == "".join(f"{line}\n" for line in live.stdout.splitlines())


def test_merged_shards_tell_the_same_cases(live: Finished, zoo: Project) -> None:
    for index in (1, 2):
        zoo.run("--shard", f"{index}/2", "--output", f"results-{index}", "--report", "json")
    merged = zoo.finish(
        zoo.start(
            *("merge", "results-1", "results-2", "--output", "merged", "--report", REPORTS),
            env=surroundings(zoo, "merged"),
        ),
        output="merged",
    )
    assert merged.exit_code == 1
    for name in FILES:
        check(name, (merged.output / name).read_bytes())
    told = {
        run: {
            name: tags
            for name, tags in cases(check("junit.xml", (run.output / "junit.xml").read_bytes()))
            if not name.startswith("second.")  # No shard knows that another one's phase failed.
        }
        for run in (live, merged)
    }
    assert told[merged] == told[live]
    copied = Path(shutil.copytree(merged.output, zoo.root / "again"))
    replayed = zoo.run("replay", "--output", "again", "--report", "junit,ctrf,tap,gitlab")
    assert replayed.exit_code == 1
    for name in ("junit.xml", "results.tap", "gl-code-quality-report.json"):
        ours = (copied / name).read_bytes().replace(b"|again/", b"|merged/")
        assert ours == (merged.output / name).read_bytes(), name


def test_a_report_that_cannot_be_written_is_exit_code_5(project: Project) -> None:
    project.write({"test_fine.py": SUITE["test_fine.py"], "blocked": "a file where a folder should be\n"})
    project.phases([{"name": "p", "tests": ["test_fine.py"]}])
    run = project.run("--report", "console,json,junit=blocked/junit.xml")
    assert run.exit_code == 5, sys.version
    assert "junit" in run.last_line["why"]

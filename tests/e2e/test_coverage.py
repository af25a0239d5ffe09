"""Coverage from outside: as plain coverage.py measures it, over attempts, shards and tools."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.project import Project

pytestmark = pytest.mark.slow

SUITE = {
    "app/__init__.py": "",
    "app/shop.py": """\
        def price(count, member):
            if count > 10:
                return count * 8
            if member:
                return count * 9
            return count * 10


        def refund(count):
            total = 0
            for _ in range(count):
                total += 10
            return total


        def never():
            return "nobody calls me"
        """,
    "app/dead.py": "def dead():\n    return 1\n",
    "test_price.py": "from app.shop import price\ndef test_many(): assert price(11, False) == 88\n",
    "test_member.py": """\
        import os
        from app.shop import price
        def test_member(): assert price(1, True) == 9
        def test_once(): assert os.environ.get("E2E_ATTEMPT", "2") == "2"
        """,
    "test_refund.py": "from app.shop import refund\ndef test_refund(): assert refund(2) == 20\n",
}
TESTS = {"price": "test_price.py", "member": "test_member.py", "refund": "test_refund.py"}


def suite(project: Project, floor: Any, *, coverage: Any = None) -> Project:
    runner = {
        "kind": "pytest",
        "python": sys.executable,
        "coverage": coverage or {"source": ["app"], "branch": True},
    }
    phase = {"name": "p", "tests": TESTS, "retries": {"max": 1, "delay": 0}}
    return project.write(SUITE).phases([phase], runners={"r": runner}, gates={"coverage": floor})


def plain(root: Path) -> dict[str, Any]:
    """What coverage.py says without us."""

    def coverage(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "coverage", *words], cwd=root, check=True, capture_output=True)

    coverage("run", "--branch", "--source=app", "-m", "pytest", "-p", "no:cacheprovider", *TESTS.values())
    coverage("json", "-o", "plain.json")
    told: dict[str, Any] = json.loads((root / "plain.json").read_text())
    return told


def lines(report: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (
            file["executed_lines"],
            file["missing_lines"],
            sorted(file["executed_branches"]),
            sorted(file["missing_branches"]),
        )
        for name, file in report["files"].items()
    }


def test_it_agrees_with_plain_coverage_to_the_line(project: Project) -> None:
    run = suite(project, {"lines": 70, "branches": 60}).run()
    assert run.exit_code == 0, run.stdout
    expected = plain(project.root)
    ours = json.loads((run.folder / "coverage" / "r" / "coverage.json").read_text())
    assert lines(ours) == lines(expected)
    assert ours["totals"] == expected["totals"]
    told = run.results["coverage"]
    assert told["problem"] is None
    assert told["lines"] == {
        "total": expected["totals"]["num_statements"],
        "covered": expected["totals"]["covered_lines"],
    }
    assert told["branches"]["covered"] == expected["totals"]["covered_branches"]
    for one in told["files"]:
        assert (run.output / one["path"]).is_file()
    assert [gate["gate"] for gate in run.results["gates"]] == ["coverage of lines", "coverage of branches"]


@pytest.mark.parametrize("floor", [90, {"branches": 95}])
def test_too_little_of_it_is_exit_code_3(project: Project, floor: Any) -> None:
    run = suite(project, floor).run()
    assert run.exit_code == 3
    assert "gate coverage of " in run.last_line["why"]


def test_shards_are_measured_together(project: Project) -> None:
    suite(project, 70)
    for index in (1, 2):
        run = project.finish(
            project.start("--shard", f"{index}/2", "--output", f"results-{index}"), output=f"results-{index}"
        )
        assert run.exit_code == 0, run.stdout
    merged = project.finish(
        project.start("merge", "results-1", "results-2", "--output", "merged"), output="merged"
    )
    assert merged.exit_code == 0, merged.stdout + merged.stderr
    ours = json.loads((merged.folder / "coverage" / "r" / "coverage.json").read_text())
    assert lines(ours) == lines(plain(project.root))


LCOV = """\
    printf 'SF:app.ts\\nDA:1,1\\nDA:2,%s\\nDA:3,0\\nBRDA:1,0,0,1\\nBRDA:1,0,1,-\\nend_of_record\\n' "$1" >"lcov-$E2E_TEST.info"
"""
COBERTURA = """\
    printf '<coverage><packages><package><classes><class filename="b.py"><lines><line number="1" hits="2"/>' >c.xml
    printf '<line number="2" hits="0" branch="true" condition-coverage="50%% (1/2)"/></lines></class></classes></package></packages></coverage>' >>c.xml
"""


@pytest.mark.parametrize(("least", "code"), [(60, 0), (61, 3)])
def test_files_of_other_tools_are_put_together_line_by_line(project: Project, least: int, code: int) -> None:
    project.write({"lcov.sh": LCOV, "cobertura.sh": COBERTURA})
    tests = {"a": "sh lcov.sh 1", "b": "sh lcov.sh 0", "c": "sh cobertura.sh"}
    runner = {"kind": "command", "coverage": {"files": ["lcov-*.info", "c.xml"]}}
    run = project.phases(
        [{"name": "p", "tests": tests, "parallel": False}], runners={"r": runner}, gates={"coverage": least}
    ).run()
    assert run.exit_code == code, run.stdout
    assert run.results["coverage"]["lines"] == {"total": 5, "covered": 3}
    assert run.results["coverage"]["branches"] == {"total": 4, "covered": 2}


def test_a_file_that_is_no_coverage_is_said_and_never_enough(project: Project) -> None:
    project.write({"t.sh": "echo nothing >lcov.info\n"})
    runner = {"kind": "command", "coverage": {"files": "lcov.info"}}
    run = project.phases(
        [{"name": "p", "tests": {"t": "sh t.sh"}}], runners={"r": runner}, gates={"coverage": 1}
    ).run()
    assert run.exit_code == 3
    assert "neither lcov nor Cobertura" in run.results["gates"][0]["message"]

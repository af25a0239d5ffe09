"""A retry absolves only what was seen to pass: whatever was left out of it, or has no case, stays bad."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.kinds import playwright_project
from support.project import Finished, Project

from e2e_orchestrator.model.events import RetryScheduled, StartChosen

ALL: tuple[str, ...] = ()

DEPENDS = """
    import os
    import pytest

    done = set()

    def test_login():
        done.add("login")

    def test_checkout():
        if "login" not in done:
            pytest.skip("depends on test_login")
        assert {good}

    def test_banner():
        assert os.environ["E2E_ATTEMPT"] != "1"
"""
LEAVES_A_ROW = """
    import pytest

    rows = []

    @pytest.fixture({scope}, autouse=True)
    def nothing_is_left():
        yield
        assert rows == []

    class TestRows:
        def test_create(self):
            rows.append(1)

        def test_list(self):
            pass
"""
FIRST_TRY = "os.environ['E2E_ATTEMPT'] == '1'"
STAGES = """
    import os
    import pytest

    @pytest.fixture({scope})
    def ground():
        {before}
        yield
        {after}

    def test_first(ground):
        pass

    def test_middle():
        pass

    def test_last(ground):
        pass
"""


def stages(*, scope: str, before: str = "pass", after: str = "pass") -> str:
    return STAGES.format(scope=f'scope="{scope}"', before=before, after=after)


CONFTEST = """
    import os
    import pytest

    @pytest.fixture(scope="session")
    def server():
        yield
        assert os.environ["E2E_ATTEMPT"] != "1", "the server did not stop"
"""
FILES = {
    "conftest.py": CONFTEST,
    "test_depends.py": DEPENDS.format(good="False"),
    "test_heals.py": DEPENDS.format(good='os.environ["E2E_ATTEMPT"] != "1"'),
    "test_row_in_module.py": LEAVES_A_ROW.format(scope='scope="module"'),
    "test_row_in_class.py": LEAVES_A_ROW.format(scope='scope="class"'),
    "test_server.py": "def test_a(server):\n    pass\n\ndef test_b():\n    pass\n",
    "test_module_setup.py": stages(scope="module", before=f"assert not {FIRST_TRY}"),
    "test_own_setup.py": stages(scope="function", before=f"assert not {FIRST_TRY}"),
    "test_own_teardown.py": stages(scope="function", after=f"assert not {FIRST_TRY}"),
}
# How each ends, the cases that are worth a word, and what its retries were about.
ENDS: dict[str, tuple[str, dict[str, str], list[tuple[str, ...]]]] = {
    "depends": (
        "test_failures",
        {"test_login": "passed", "test_checkout": "failed", "test_banner": "flaky"},
        [("test_checkout", "test_banner"), ALL],
    ),
    "heals": (
        "flaky",
        {"test_login": "passed", "test_checkout": "flaky", "test_banner": "flaky"},
        [("test_checkout", "test_banner"), ALL],
    ),
    "row_in_module": ("test_failures", {"TestRows::test_list": "error"}, [ALL, ALL]),
    "row_in_class": ("test_failures", {"TestRows::test_list": "error"}, [ALL, ALL]),
    "server": ("flaky", {"test_a": "passed", "test_b": "flaky"}, [ALL]),
    "module_setup": ("flaky", {"test_first": "flaky", "test_middle": "passed", "test_last": "flaky"}, [ALL]),
    "own_setup": ("flaky", {"test_first": "flaky", "test_last": "flaky"}, [("test_first", "test_last")]),
    "own_teardown": ("flaky", {"test_first": "flaky", "test_last": "flaky"}, [("test_first", "test_last")]),
}


def retries(run: Finished) -> dict[str, list[tuple[str, ...]]]:
    """Test -> the cases that each of its retries was about, without the file that they are in."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for one in run.journal:
        if isinstance(one.event, RetryScheduled):
            only = tuple(short(case) for case in one.event.only)
            found.setdefault(one.event.test.removeprefix("p/"), []).append(only)
    return found


def short(case: str) -> str:
    return case.partition("::")[2] or case.partition(" › ")[2]  # noqa: RUF001 - Playwright's separator.


def cases(run: Finished, name: str) -> dict[str, str]:
    return {short(case["id"]): case["status"] for case in run.tests[f"p/{name}"]["cases"]}


def has_ended(run: Finished, expected: dict[str, tuple[str, dict[str, str], list[tuple[str, ...]]]]) -> None:
    about = retries(run)
    found = {name: (run.ends[f"p/{name}"], cases(run, name), about.get(name)) for name in expected}
    assert {name: (end, {one: seen[one] for one in expected[name][1]}, only) for name, (end, seen, only) in
            found.items()} == expected  # fmt: skip


def planned(project: Project, tests: Mapping[str, Any], *, kind: str, **top: Any) -> Project:
    phase = {"name": "p", "tests": tests, "retries": {"max": 2, "delay": 0}, "timeout": 300}
    return project.phases([phase], kind=kind, **top)


@pytest.fixture
def suite(tmp_path: Path) -> Project:
    tests = {name: f"test_{name}.py" for name in ENDS}
    return planned(Project(tmp_path).write(FILES), tests, kind="pytest")


@pytest.mark.parametrize("warm", ["off", "on"])
def test_of_pytest(suite: Project, warm: str) -> None:
    if warm == "on":  # The first run of a file tells what it imports.
        suite.run("--warm", "on", "--test", "own_setup", "--retries", "0")
        shutil.rmtree(suite.root / "test-results" / "runs")
    run = suite.run("--warm", warm, "--workers", "2")
    chosen = [one.event.way for one in run.journal if isinstance(one.event, StartChosen)]
    assert ("warm" in chosen) is (warm == "on")
    has_ended(run, ENDS)
    assert run.exit_code == 1
    assert "p/heals  attempt 2 left out what had failed, attempt 3 of 3" in run.stdout
    assert "the last attempt" not in run.tests["p/depends"]["error"], "that one failed by itself"


def test_of_pytest_whose_cases_run_side_by_side(suite: Project) -> None:
    tests = {
        name: {"target": f"test_{name}.py", "args": ["-n1"]} for name in ("row_in_module", "own_teardown")
    }
    planned(suite, tests, kind="pytest")
    has_ended(suite.run("--workers", "2"), {name: ENDS[name] for name in tests})


HEAD = "import { test, expect } from '@playwright/test';\nconst firstTry = process.env.E2E_ATTEMPT === '1';\n"
SPECS = {
    "leaves-a-row": """
        let rows = 0;
        test.afterAll(() => { expect(rows).toBe(0); });
        test('create', () => { rows++; });
        test('list', () => {});
    """,
    "clean-up": """
        test.describe('with a title', () => {
          test.afterAll('puts away', () => { expect.soft(firstTry).toBe(false); });
          test('first', () => {});
          test('second', () => {});
        });
    """,
    "worker": """
        const own = test.extend({}, {});
        const more = own.extend({ ground: [async ({}, use) => { await use(1); if (firstTry) throw new Error('kept'); },
          { scope: 'worker' }] });
        more('good', ({ ground }) => {});
        more('bad', ({ ground }) => { expect(firstTry).toBe(false); });
    """,
    "each": """
        test.afterEach(({}, info) => { if (info.title === 'second') expect(firstTry).toBe(false); });
        test('first', () => {});
        test('second', () => {});
    """,
    "dodges": """
        test('good', () => {});
        test('dodges', () => { test.skip(!firstTry, 'not again'); throw new Error('bad when it ran'); });
    """,
}
SPEC_ENDS: dict[str, tuple[str, dict[str, str], list[tuple[str, ...]]]] = {
    "leaves-a-row": ("test_failures", {"create": "passed", "list": "failed"}, [ALL, ALL]),
    "clean-up": (
        "flaky",
        {"with a title › first": "passed", "with a title › second": "flaky"},  # noqa: RUF001
        [ALL],
    ),
    "worker": ("flaky", {"good": "passed", "bad": "flaky"}, [ALL]),
    "each": ("flaky", {"first": "passed", "second": "flaky"}, [("second",)]),
    "dodges": ("test_failures", {"good": "passed", "dodges": "failed"}, [("dodges",), ALL]),
}


def specs(folder: Path, files: dict[str, str], config: str, **more: str) -> Project:
    project = Project(playwright_project(folder))
    written = {f"{name}.spec.ts": HEAD + text for name, text in files.items()}
    project.write({**written, **more, "playwright.config.ts": f"export default {{ {config} }};\n"})
    return planned(project, {name: f"{name}.spec.ts" for name in files}, kind="playwright")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pack", "names"),
    [("auto", tuple(SPECS)), ("off", ("leaves-a-row", "clean-up", "dodges"))],
    ids=["auto", "off"],
)
def test_of_playwright(tmp_path: Path, pack: str, names: tuple[str, ...]) -> None:
    """Unpacked, only what packs could bend: each attempt is a call of its own."""
    run = specs(tmp_path, {name: SPECS[name] for name in names}, "").run("--pack", pack, "--workers", "2")
    has_ended(run, {name: SPEC_ENDS[name] for name in names})
    assert run.exit_code == 1


COMPANIONS = """
    projects: [
      { name: 'seed', testMatch: 'seed.ts', teardown: 'clean' },
      { name: 'clean', testMatch: 'clean.ts' },
      { name: 'pages', testMatch: '*.spec.ts', dependencies: ['seed'] },
    ]
"""


@pytest.mark.slow
@pytest.mark.parametrize("pack", ["auto", "off"])
@pytest.mark.parametrize(
    ("bad", "end"), [("firstTry", "flaky"), ("true", "test_failures")], ids=["once", "always"]
)
def test_of_a_teardown_project(tmp_path: Path, pack: str, bad: str, end: str) -> None:
    files = {
        "seed.ts": HEAD + "test('sows', () => {});\n",
        "clean.ts": HEAD + f"test('weeds', () => {{ if ({bad}) throw new Error('something is left'); }});\n",
    }
    pages = dict.fromkeys(("door", "roof"), "test('good', () => {});\n")
    run = specs(tmp_path, pages, COMPANIONS, **files).run("--pack", pack, "--workers", "2", "--retries", "1")
    assert run.ends == {"p/door": end, "p/roof": end}
    assert {only for all_of_it in retries(run).values() for only in all_of_it} == {ALL}
    for name in pages:
        weeds = next(one for one in run.tests[f"p/{name}"]["cases"] if one["id"].endswith("weeds"))
        assert weeds["status"] == ("flaky" if end == "flaky" else "failed")
        assert "something is left" in weeds["message"]
    assert run.exit_code == (0 if end == "flaky" else 1)

"""A generated Playwright suite with projects and dependencies: we report what its JSON report counts."""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.kinds import playwright_home, playwright_project
from support.project import Finished, Project

pytestmark = pytest.mark.slow

CONFIG = """
    import { defineConfig } from '@playwright/test';

    export default defineConfig({
      workers: 2,
      retries: 1,
      reporter: 'line',
      projects: [
        { name: 'prepare', testMatch: '*.setup.ts' },
        { name: 'wide', dependencies: ['prepare'] },
        { name: 'narrow [390px]', dependencies: ['prepare'], grepInvert: /only wide/ },
        { name: 'lost', testMatch: 'lost.spec.ts', dependencies: ['refused'] },
        { name: 'refused', testMatch: '*.refuse.ts' },
      ],
    });
"""
JOINT = " \u203a "
HEAD = "import { test, expect } from '@playwright/test';\n"
FILES = {
    "playwright.config.ts": CONFIG,
    "log-in.setup.ts": HEAD + "test('log in', () => {});\n",
    "log-in.refuse.ts": HEAD + "test('log in', () => {\n  expect(1).toBe(2);\n});\n",
    "a.spec.ts": HEAD
    + """
test('good', () => {});
test('good only wide', () => {});
test('bad', () => {
  expect('ours').toBe('theirs');
});
test('moody', ({}, info) => {
  expect(info.retry).toBe(1);
});
test.skip('left out', () => {});
test.fixme('one day', () => {});
test.fail('known', () => {
  expect(1).toBe(2);
});
test.fail('repaired', () => {});
test('late', async () => {
  test.setTimeout(200);
  await new Promise(() => setInterval(() => {}, 1000));
});
""",
    "xa.spec.ts": HEAD
    + """
test.describe('same names as elsewhere', () => {
  test('good', () => {});
  test('bad', ({}, info) => {
    expect(info.project.name).toBe('wide');
  });
});
for (const word of ['a \\u203a b', '[x]', '::error::', 'ż ]]>', '(1|2).*'])
  test(`word ${word}`, () => {});
""",
    "deep/a.spec.ts": HEAD
    + """
test.describe.serial('chain', () => {
  test('first', () => {});
  test('second', () => {
    throw new Error('broken');
  });
  test('third', () => {});
});
test.describe('house', () => {
  test.beforeAll(() => {
    throw new Error('no ground');
  });
  test('door', () => {});
  test('roof', () => {});
});
test.describe('mess', () => {
  test.afterAll(() => {
    throw new Error('left a mess');
  });
  test('tidy', () => {});
});
""",
    "lost.spec.ts": HEAD + "test('never', () => {});\n",
}
PARTS = ["a.spec.ts", "xa.spec.ts", "lost.spec.ts", "deep"]


def _native(project: Path, pattern: str) -> tuple[int, list[tuple[str, str]]]:
    """Playwright's exit status, and (its whole title, what became of it) for every case."""
    report = project / "native.json"
    ended = subprocess.run(
        ["node", "node_modules/@playwright/test/cli.js", "test", pattern, "--reporter", "json"],
        cwd=project,
        env={**os.environ, "PLAYWRIGHT_JSON_OUTPUT_FILE": str(report)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    shutil.rmtree(project / "test-results", ignore_errors=True)
    found = json.loads(report.read_bytes())
    return ended.returncode, sorted(
        case for suite in found["suites"] for case in _cases(suite, file=suite["title"], titles=())
    )


def _cases(suite: Mapping[str, Any], *, file: str, titles: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for spec in suite["specs"]:
        for test in spec["tests"]:
            name = JOINT.join([f"[{test['projectName']}]", file, *titles, spec["title"]])
            yield name, _outcome(test)
    for inner in suite.get("suites", []):
        yield from _cases(inner, file=file, titles=(*titles, inner["title"]))


def _outcome(test: Mapping[str, Any]) -> str:
    results = [result["status"] for result in test["results"]]
    match test["status"], test["expectedStatus"]:
        case "expected", "passed":
            return "passed"
        case "expected", "failed":
            return "xfailed"
        case "flaky", _:
            return "flaky"
        case "skipped", "skipped":
            return "skipped"
        case "skipped", _:
            return "not_run"
        case _:
            return "timeout" if results[-1] == "timedOut" else "failed"


def _ours(run: Finished, part: str) -> tuple[int, list[tuple[str, str]]]:
    test = run.tests[f"p/{part}"]
    return (
        test["attempts"][0]["exit_status"],
        sorted((case["id"], case["status"]) for case in test["cases"]),
    )


def test_we_report_what_playwright_reports(tmp_path: Path) -> None:
    root = playwright_project(tmp_path)
    project = Project(root, env={"E2E_TEST_PLAYWRIGHT": str(playwright_home())}).write(FILES)
    tests = {part: part for part in PARTS}
    run = project.phases([{"name": "p", "tests": tests, "required": False}], kind="playwright").run(
        "--workers", "1", "--output", str(tmp_path / "results")
    )
    run = Finished(exit_code=run.exit_code, stdout=run.stdout, stderr=run.stderr, output=tmp_path / "results")
    seen: Counter[str] = Counter()
    for part in PARTS:
        pattern = f"^{root}/{part}".replace(".", r"\.") + ("/" if part == "deep" else "$")
        native = _native(root, pattern)
        assert _ours(run, part) == native, part
        seen.update(status for _, status in native[1])
    assert seen.keys() == {
        *("passed", "failed", "timeout", "flaky", "skipped", "xfailed", "not_run"),
    }

"""Projects whose configuration starts a web server: one invocation at a time, whatever asks for it."""

import json
import socket
from collections.abc import Mapping

import pytest
from support.kinds import needs_playwright, playwright_home
from support.project import Finished, Project

pytestmark = pytest.mark.slow

# As `npm init playwright` writes it; the specs need no browser.
CONFIG = """
    import { defineConfig } from '@playwright/test';
    export default defineConfig({
      testDir: './e2e',
      fullyParallel: true,
      forbidOnly: !!process.env.CI,
      retries: 0,
      /* Opt out of parallel tests on CI. */
      workers: process.env.CI ? 1 : undefined,
      use: { baseURL: 'http://127.0.0.1:PORT' },
      webServer: {
        command: 'node server.mjs PORT',
        url: 'http://127.0.0.1:PORT',
        reuseExistingServer: !process.env.CI,
      },
    });
"""
# Notes every start, and every one whose address was taken: Playwright may mistake the other server for its own.
SERVER = """
    import { appendFileSync } from 'node:fs';
    import { createServer } from 'node:http';
    const server = createServer((_, response) => response.end('here'));
    server.on('error', error => { appendFileSync('collisions', `${error}\\n`); process.exit(1); });
    server.listen(Number(process.argv[2]), '127.0.0.1', () => appendFileSync('starts', 'started\\n'));
"""
SPEC = """
    import { test, expect } from '@playwright/test';
    for (const name of ['first', 'second', 'third'])
      test(name, async ({ request }) => {
        for (let asked = 0; asked < ASKED; asked++) expect(await (await request.get('/')).text()).toBe('here');
      });
"""
MOODY = "test('moody', () => { expect(process.env.E2E_ATTEMPT).not.toBe('1'); });\n"
NAMES = ("a", "b", "c", "d", "e", "f")


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


@pytest.fixture
def serving(project: Project) -> Project:
    """Six specs of unequal length; ``CI`` says that no server is reused."""
    needs_playwright()
    (project.root / "node_modules").symlink_to(playwright_home() / "node_modules")
    lengths = {f"e2e/{name}.spec.ts": str(1 + 15 * at) for at, name in enumerate(NAMES)}
    project.env["CI"] = "1"
    return project.write(
        {
            "package.json": "{}",
            "playwright.config.ts": CONFIG.replace("PORT", free_port()),
            "server.mjs": SERVER,
            **{file: SPEC.replace("ASKED", length) for file, length in lengths.items()},
        }
    )


def specs(names: str) -> Mapping[str, str]:
    return {name: f"e2e/{name}.spec.ts" for name in names}


def phases(project: Project, *phases: Mapping[str, object]) -> Project:
    given = [{"timeout": "5m", **one} for one in phases]
    return project.phases(given, kind="playwright", workers=2, timeout="10m")


def starts(finished: Finished) -> int:
    """How often the server was started; it was never in another's way."""
    root = finished.output.parent
    assert not (root / "collisions").exists(), (root / "collisions").read_text()
    return len((root / "starts").read_text().splitlines())


def packs(finished: Finished) -> list[int]:
    """How many tests each pack had."""
    found = sorted((finished.folder / "packs").glob("*/pack.json"))
    return [len(json.loads(path.read_text())["tests"]) for path in found]


def test_specs_of_unequal_length_share_one_server(serving: Project) -> None:
    finished = phases(serving, {"name": "p", "tests": specs("abcdef")}).run()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert set(finished.ends.values()) == {"passed"}
    assert (packs(finished), starts(finished)) == ([6], 1)
    assert {one["attempts"][0]["slot"] for one in finished.tests.values()} == {0, 1}


def test_retries_that_are_due_together_take_turns(serving: Project) -> None:
    for name in "abc":
        path = serving.root / "e2e" / f"{name}.spec.ts"
        path.write_text(path.read_text() + MOODY)
    finished = phases(serving, {"name": "p", "tests": specs("abcd"), "retries": {"max": 1, "delay": 0}}).run()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert finished.ends == {"p/a": "flaky", "p/b": "flaky", "p/c": "flaky", "p/d": "passed"}
    assert starts(finished) == 4


def test_phases_that_overlap_and_tests_that_run_alone_take_turns(serving: Project) -> None:
    one = {"name": "one", "needs": [], "tests": specs("af")}
    two = {"name": "two", "needs": [], "tests": specs("be")}
    finished = phases(serving, one, two).run("--pack", "off")
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert set(finished.ends.values()) == {"passed"}
    assert (packs(finished), starts(finished)) == ([], 4)


def test_another_runner_and_a_place_in_a_file_wait_for_the_pack(serving: Project) -> None:
    """The pack has one of three slots, so that the others are free to start beside it."""
    config = serving.root / "playwright.config.ts"
    config.write_text(config.read_text().replace("process.env.CI ? 1 : undefined", "1"))
    one = {"name": "one", "needs": [], "tests": {**specs("abf"), "place": "e2e/c.spec.ts:3"}}
    two = {"name": "two", "needs": [], "runner": "other", "tests": specs("de")}
    runners = {name: {"kind": "playwright"} for name in ("r", "other")}
    phases(serving, one, two)
    written = json.loads((serving.root / "phases.yaml").read_text())
    (serving.root / "phases.yaml").write_text(json.dumps({**written, "runners": runners, "workers": 3}))
    finished = serving.run()
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert (sorted(packs(finished)), starts(finished)) == ([2, 3], 3)


def test_a_helper_of_the_workspace_that_asks_for_its_test_is_a_source(project: Project) -> None:
    needs_playwright()
    web, helpers = project.root / "apps" / "web", project.root / "packages" / "helpers"
    spec = "import { test, expect } from '@playwright/test';\nimport { mine } from '@acme/helpers';\n"
    project.write(
        {
            "package.json": '{"private": true, "workspaces": ["apps/*", "packages/*"]}',
            "apps/web/package.json": '{"name": "web"}',
            "apps/web/playwright.config.ts": "export default { };\n",
            **{
                f"apps/web/{name}.spec.ts": f"{spec}test('mine', () => expect(mine()).toBe('{name}'));\n"
                for name in "ab"
            },
            "packages/helpers/package.json": '{"name": "@acme/helpers", "main": "index.ts"}',
            "packages/helpers/index.ts": "export const mine = () => process.env.E2E_TEST;\n",
        }
    )
    scope = project.root / "node_modules" / "@acme"
    scope.mkdir(parents=True)
    (scope / "helpers").symlink_to("../../packages/helpers")
    assert (scope / "helpers").resolve() == helpers.resolve()
    (web / "node_modules").symlink_to(playwright_home() / "node_modules")
    tests = {name: {"target": f"{name}.spec.ts", "cwd": "apps/web"} for name in "ab"}
    finished = phases(project, {"name": "p", "tests": tests}).run()
    assert finished.ends == {"p/a": "passed", "p/b": "passed"}, finished.stdout
    assert packs(finished) == []

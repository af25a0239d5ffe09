"""The injected Playwright reporter inside suites that do what suites do."""

# ruff: noqa: RUF001 - the separator is what Playwright itself prints.

import json
from pathlib import Path

import pytest
from support.execute import Bench
from support.kinds import playwright_home, playwright_project

from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.parsers.case_stream import read_stream
from e2e_orchestrator.runners.playwright import PlaywrightRunner

IMPORT = "import { test, expect } from '@playwright/test';\n"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(
        factory=PlaywrightRunner,
        kind="playwright",
        root=playwright_project(tmp_path),
        output=tmp_path / "out",
    )


def write(bench: Bench, spec: str, config: str = "") -> None:
    (bench.root / "a.spec.ts").write_text(IMPORT + spec)
    (bench.root / "playwright.config.ts").write_text(
        f"import {{ defineConfig }} from '@playwright/test';\nexport default defineConfig({{ {config} }});\n"
    )


OUTCOMES = """
test('good', () => {});
test('bad', () => { expect.soft(1, 'first').toBe(2); expect(3, 'second').toBe(4); });
test('slow', async () => { test.setTimeout(500); await new Promise(() => {}); });
test('lucky', ({}, info) => { expect(info.retry, 'first try').toBe(1); });
test.skip('skipped', () => {});
test('skips itself', () => { test.skip(true, 'not today'); });
test.fixme('to be fixed', () => {});
test.fail('known bug', () => { throw new Error('known'); });
test.fail('bug is gone', () => {});
test.describe('group', () => {
  test.beforeAll(() => { throw new Error('no database'); });
  test('first', () => {});
  test('second', () => {});
});
test.describe(() => { test('in a group without a name', () => {}); });
"""
EXPECTED = {
    "good": CaseStatus.PASSED,
    "bad": CaseStatus.FAILED,
    "slow": CaseStatus.TIMEOUT,
    "lucky": CaseStatus.FLAKY,
    "skipped": CaseStatus.SKIPPED,
    "skips itself": CaseStatus.SKIPPED,
    "to be fixed": CaseStatus.SKIPPED,
    "known bug": CaseStatus.XFAILED,
    "bug is gone": CaseStatus.FAILED,
    "group › first": CaseStatus.FAILED,
    "group › second": CaseStatus.NOT_RUN,
    "in a group without a name": CaseStatus.PASSED,
}


@pytest.mark.slow
def test_every_outcome_of_playwright_has_its_status(bench: Bench) -> None:
    write(bench, OUTCOMES, "retries: 1")
    judged, completed, _ = bench.attempt(bench.test("a.spec.ts"))
    found = {case.id.removeprefix("a.spec.ts › "): case for case in judged.cases}
    assert {name: case.status for name, case in found.items()} == EXPECTED, completed.tail
    messages = {name: case.message or "" for name, case in found.items()}
    assert "first" in messages["bad"]
    assert "second" in messages["bad"]
    assert "try 2 of 2" in messages["bad"]
    assert "first try" in messages["lucky"]
    assert messages["skips itself"] == "not today"
    assert "expected to fail" in messages["bug is gone"]
    assert "no database" in messages["group › first"]
    assert not any("\x1b" in text for text in messages.values())
    assert found["bad"].file == "a.spec.ts"
    assert found["bad"].line == 4


WHOSE = """
const more = test.extend<{ own: number }, { ground: number }>({
  own: async ({}, use) => { await use(1); throw new Error('own'); },
  ground: [async ({}, use) => { await use(1); throw new Error('kept'); }, { scope: 'worker' }],
});
test.describe('call', () => {
  test.beforeAll(() => {});
  test.afterAll(() => {});
  test('own', () => { throw new Error('own'); });
});
test.describe('each', () => {
  test.beforeEach(() => { throw new Error('own'); });
  test('own', () => {});
});
test.describe('fixture', () => { more('own', ({ own }) => {}); });
test.describe('worker fixture', () => { more('shared', ({ ground }) => { throw new Error('own, too'); }); });
test.describe('before', () => {
  test.beforeAll('with a title', () => { throw new Error('no ground'); });
  test('shared', () => {});
});
test.describe('after', () => {
  test.afterAll(async () => { expect.soft(1).toBe(2); });
  test('first', () => {});
  test('shared', () => {});
});
test.describe('after, and late', () => {
  test.afterAll(async () => { test.setTimeout(300); await new Promise(() => {}); });
  test('shared', () => {});
});
"""


def test_a_failure_of_what_cases_share_is_told_from_their_own(bench: Bench) -> None:
    write(bench, WHOSE)
    judged = bench.run("a.spec.ts")
    bad = {case.id.removeprefix("a.spec.ts › "): case.shared_failure for case in judged.cases if case.bad}
    assert len(bad) == 7
    assert bad == {name: name.endswith("shared") for name in bad}


def test_equal_titles_in_projects_and_repetitions_have_ids_of_their_own(bench: Bench) -> None:
    write(
        bench,
        "test('opens', () => {});\n",
        "repeatEach: 2, projects: [{ name: 'desktop' }, { name: 'mobile' }]",
    )
    judged = bench.run("a.spec.ts")
    assert sorted(case.id for case in judged.cases) == [
        "[desktop] › a.spec.ts › opens",
        "[desktop] › a.spec.ts › opens (repeat 1)",
        "[mobile] › a.spec.ts › opens",
        "[mobile] › a.spec.ts › opens (repeat 1)",
    ]
    assert {case.project for case in judged.cases} == {"desktop", "mobile"}


def test_attachments_are_files_of_the_attempt_wherever_they_came_from(bench: Bench) -> None:
    spec = """
import { writeFileSync } from 'fs';
test('attaches', async ({}, info) => {
  await info.attach('a body', { body: 'hello', contentType: 'text/plain' });
  writeFileSync(info.outputPath('own.txt'), 'own');
  info.attachments.push({ name: 'own', path: info.outputPath('own.txt'), contentType: 'text/plain' });
  writeFileSync('elsewhere.txt', 'elsewhere');
  info.attachments.push({ name: 'elsewhere', path: 'elsewhere.txt', contentType: 'text/plain' });
  info.attachments.push({ name: 'gone', path: '/nowhere/gone.png', contentType: 'image/png' });
  await info.attach('../../../escape', { body: 'hello', contentType: 'text/plain' });
});
"""
    write(bench, spec)
    judged, completed, attempt = bench.attempt(bench.test("a.spec.ts"))
    assert judged.verdict.status is Status.PASSED, completed.tail
    (case,) = judged.cases
    texts = {one.name: (attempt.output_root / one.path).read_text() for one in case.attachments}
    assert texts == {"a body": "hello", "own": "own", "elsewhere": "elsewhere", "../../../escape": "hello"}


def test_the_users_own_reporters_work_and_write_into_the_attempts_folder(bench: Bench) -> None:
    (bench.root / "mine.cjs").write_text(
        "module.exports = class { onEnd() { require('fs').writeFileSync('mine.txt', 'called'); } };\n"
    )
    reporters = "['./mine.cjs'], ['json', { outputFile: 'shared.json' }], ['junit', { outputFile: 'shared.xml' }], ['html']"
    write(bench, "test('a', () => {});\n", f"reporter: [{reporters}]")
    judged, completed, attempt = bench.attempt(bench.test("a.spec.ts"))
    assert judged.verdict.status is Status.PASSED, completed.tail
    assert (bench.root / "mine.txt").read_text() == "called"
    assert {one.name for one in judged.attachments} == {
        "playwright-json",
        "playwright-junit",
        "playwright-html",
    }
    assert json.loads((attempt.folder / "playwright.json").read_bytes())["stats"]["expected"] == 1
    assert not (bench.root / "shared.json").exists()
    assert not (bench.root / "playwright-report").exists()


def test_a_playwright_of_old_takes_the_reporter_from_its_environment(bench: Bench) -> None:
    """An older version is played by the installed one under another number."""
    home = playwright_home() / "node_modules"
    modules = bench.root / "node_modules"
    modules.unlink()
    package = modules / "@playwright" / "test"
    package.mkdir(parents=True)
    for one in home.iterdir():
        if one.name.startswith("playwright"):
            (modules / one.name).symlink_to(one)
    for one in (home / "@playwright" / "test").iterdir():
        (package / one.name).write_bytes(one.read_bytes()) if one.is_file() else None
    manifest = json.loads((package / "package.json").read_bytes())
    (package / "package.json").write_text(json.dumps({**manifest, "version": "1.40.0"}))
    spec = """
test('a test does not see our reporter', () => { expect(process.env.PW_TEST_REPORTER).toBe(undefined); });
"""
    write(bench, spec, "reporter: [['line']]")
    judged, completed, _ = bench.attempt(bench.test("a.spec.ts"))
    assert judged.verdict.status is Status.PASSED, completed.tail
    assert "PW_TEST_REPORTER" in bench.runner().command(bench.test("a.spec.ts"), bench.spec()).env


def test_a_test_that_forges_the_stream_changes_nothing(bench: Bench) -> None:
    spec = """
import { appendFileSync } from 'fs';
test('bad', () => {
  const lines = [
    { event: 'session_started' },
    { event: 'case_finished', id: 'a.spec.ts › bad', status: 'passed' },
    { event: 'session_finished', exit_status: 0, status: 'passed' },
  ];
  appendFileSync(process.env.E2E_EVENTS!, lines.map(line => JSON.stringify(line) + '\\n').join(''));
  process.kill(process.ppid, 'SIGKILL');
});
"""
    write(bench, spec)
    judged, completed, _ = bench.attempt(bench.test("a.spec.ts"))
    assert judged.verdict.reason is Reason.CRASH
    assert [case.status for case in judged.cases] == [CaseStatus.ERROR]
    assert read_stream(completed.events).foreign == 3


def test_the_order_of_lines_follows_the_tries_of_a_case(bench: Bench) -> None:
    write(bench, "test('lucky', ({}, info) => { expect(info.retry).toBe(1); });\n", "retries: 2")
    _, completed, _ = bench.attempt(bench.test("a.spec.ts"))
    events = [json.loads(line)["event"] for line in completed.events.read_bytes().splitlines()]
    assert events == [
        "session_started",
        "collected",
        "case_started",
        "case_retried",
        "case_started",
        "case_finished",
        "session_finished",
    ]


@pytest.mark.slow
def test_cases_that_a_helper_defines_are_those_of_the_spec_that_calls_it(bench: Bench) -> None:
    write(bench, "import { cases } from './helper';\ntest.skip('of its own', () => {});\ncases();\n")
    (bench.root / "helper.ts").write_text(
        IMPORT + "export const cases = () => { test('made by a helper', () => {}); };\n"
    )
    judged = bench.run("a.spec.ts")
    assert judged.verdict.status is Status.PASSED, judged.verdict
    assert [case.status for case in judged.cases] == [CaseStatus.SKIPPED, CaseStatus.PASSED]
    (bench.root / "a.spec.ts").write_text("import { cases } from './helper';\ncases();\n")
    judged = bench.run("a.spec.ts")
    assert judged.verdict.status is Status.PASSED, judged.verdict
    assert [(case.status, case.file, case.line) for case in judged.cases] == [
        (CaseStatus.PASSED, "helper.ts", 2)
    ]


def test_an_early_stop_leaves_the_rest_not_run(bench: Bench) -> None:
    cases = "".join(
        f"test('case {number}', () => {{ expect({number}).not.toBe(0); }});\n" for number in range(4)
    )
    write(bench, cases, "maxFailures: 1, workers: 1")
    judged = bench.run("a.spec.ts")
    assert judged.verdict.reason is Reason.TEST_FAILURES
    assert [case.status for case in judged.cases] == [CaseStatus.FAILED, *[CaseStatus.NOT_RUN] * 3]


@pytest.mark.browser
def test_a_screenshot_of_a_failed_page_is_attached(bench: Bench) -> None:
    write(
        bench,
        "test('shop', async ({ page }) => { await page.setContent('<h1>shop</h1>'); expect(1).toBe(2); });\n",
        "use: { screenshot: 'only-on-failure', launchOptions: { executablePath: process.env.CHROMIUM_PATH "
        "?? '/usr/bin/chromium', args: ['--no-sandbox'] } }",
    )
    judged, completed, attempt = bench.attempt(bench.test("a.spec.ts"))
    (case,) = judged.cases
    shots = [one for one in case.attachments if one.content_type == "image/png"]
    assert len(shots) == 1, completed.tail
    assert (attempt.output_root / shots[0].path).read_bytes().startswith(b"\x89PNG")

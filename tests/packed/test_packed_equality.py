"""Packed and unpacked, the same Playwright projects come to the same: test by test, case by case."""

import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.kinds import needs_playwright, playwright_home
from support.project import Finished, Project, processes

pytestmark = pytest.mark.slow

HEAD = "import { test, expect } from '@playwright/test';\n"
AFTERWARDS = """\
test('waits', async () => {
  await expect.poll(() => require('fs').existsSync('over'), { timeout: 30_000 }).toBe(true);
});
"""
GOOD = "test('good', () => {});\n"


@dataclass(frozen=True, kw_only=True)
class Story:
    """``packed`` are the tests of the first pack; ``again`` those that it leaves undecided."""

    specs: Mapping[str, str]
    config: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    ends: Mapping[str, str]
    again: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()
    retries: int = 0

    @property
    def packed(self) -> set[str]:
        return set(self.specs) - self.alone


HANG = "test('hangs', async () => { test.setTimeout(0); await new Promise(() => setInterval(() => {}, 1000)); });\n"

STORIES = {
    "everything that a spec can do": Story(
        config="""
            retries: 1,
            testIgnore: 'left-out.spec.ts',
            projects: [
              { name: 'prepare', testMatch: '*.setup.ts' },
              { name: 'wide', dependencies: ['prepare'] },
              { name: 'narrow', dependencies: ['prepare'], grepInvert: /only wide/ },
            ],
        """,
        files={"log-in.setup.ts": HEAD + "test('log in', () => { console.log('logged in'); });\n"},
        specs={
            "good": GOOD + "test('good only wide', () => { console.log('printed by good'); });\n",
            "bad": "test('good', () => {});\ntest('bad', () => { expect('ours').toBe('theirs'); });\n",
            "moody": "test('moody', ({}, info) => { expect(info.retry).toBe(1); });\n",
            "serial": """
                test.describe.serial('chain', () => {
                  test('first', () => {});
                  test('second', () => { throw new Error('broken'); });
                  test('third', () => {});
                });
            """,
            "before": """
                test.beforeAll(() => { throw new Error('no ground'); });
                test('door', () => {});
                test('roof', () => {});
            """,
            "skips": "test.skip('left out', () => {});\ntest.fixme('one day', () => {});\n",
            "known": "test.fail('known', () => { expect(1).toBe(2); });\n",
            "repaired": "test.fail('repaired', () => {});\n",
            "late": "test('late', async () => { test.setTimeout(200); await new Promise(() => {}); });\n",
            "leaves": "test('leaves', () => { process.exit(0); });\ntest('after', () => {});\n",
            "hostile": "for (const word of ['a \\u203a b', '[x]', '::error::', 'ż ]]>', '(1|2).*'])\n"
            "  test(`word ${word}`, () => { expect(word).not.toContain('x'); });\n",
            "notes": "test('notes', async ({}, info) => {\n"
            "  await info.attach('body', { body: 'some text', contentType: 'text/plain' });\n"
            "  require('fs').writeFileSync(info.outputPath('own.txt'), 'written');\n"
            "  await info.attach('file', { path: info.outputPath('own.txt') });\n});\n",
            "empty": "\n",
            "left-out": GOOD,
        },
        ends={
            "good": "passed",
            "bad": "test_failures",
            "moody": "flaky",
            "serial": "test_failures",
            "before": "test_failures",
            "skips": "all_skipped",
            "known": "passed",
            "repaired": "test_failures",
            "late": "test_failures",
            "leaves": "test_failures",
            "hostile": "test_failures",
            "notes": "passed",
            "empty": "no_tests",
            "left-out": "no_tests",
        },
        again=frozenset({"empty", "left-out"}),
    ),
    "a file that cannot be loaded and a forgotten only": Story(
        specs={
            "torn": "test('torn', () => {\n",
            "only": "test.only('only', () => {});\n",
            "a": GOOD,
            "b": GOOD,
        },
        ends={"torn": "collection_error", "only": "collection_error", "a": "passed", "b": "passed"},
        again=frozenset({"torn", "only", "a", "b"}),
    ),
    "a global set-up that throws": Story(
        config="globalSetup: './set-up.ts',",
        files={"set-up.ts": "export default () => { throw new Error('nothing is ready'); };\n"},
        specs={"a": GOOD, "b": GOOD},
        ends={"a": "collection_error", "b": "collection_error"},
        again=frozenset({"a", "b"}),
    ),
    "a global teardown that throws": Story(
        config="globalTeardown: './tear-down.ts',",
        files={"tear-down.ts": "export default () => { throw new Error('left a mess'); };\n"},
        specs={"a": GOOD, "b": "test('bad', () => { expect(1).toBe(2); });\n"},
        ends={"a": "crash", "b": "crash"},
        again=frozenset({"a"}),
    ),
    "a set-up project that fails": Story(
        config="""
            projects: [
              { name: 'prepare', testMatch: '*.setup.ts' },
              { name: 'wide', dependencies: ['prepare'] },
            ],
        """,
        files={"log-in.setup.ts": HEAD + "test('log in', () => { expect(1).toBe(2); });\n"},
        specs={"a": GOOD, "b": GOOD},
        ends={"a": "test_failures", "b": "test_failures"},
    ),
    "a test that hangs beyond its timeout": Story(
        specs={"a": GOOD, "stuck": GOOD + HANG, "z": GOOD},
        details={"stuck": {"timeout": "30s"}},
        ends={"a": "passed", "stuck": "timeout", "z": "passed"},
        again=frozenset(),
    ),
    "a test that kills Playwright itself": Story(
        specs={
            "a": GOOD,
            "killer": "test('kills', async () => {\n"
            "  process.kill(process.ppid, 'SIGKILL');\n  await new Promise(() => {});\n});\n",
        },
        ends={"a": "passed", "killer": "crash"},
        again=frozenset({"a", "killer"}),
    ),
    "a failure that is told before a neighbour kills Playwright": Story(
        config="reporter: './told.ts',",
        # Later than all reporters of this end, so that the case stream has it.
        files={
            "told.ts": "import fs from 'fs';\nexport default class { onTestEnd(test) {\n"
            "  if (test.title === 'bad') setImmediate(() => fs.writeFileSync('told', ''));\n} }\n"
        },
        specs={
            "bad": "test('bad', () => { expect('ours').toBe('theirs'); });\n",
            "killer": "test('kills', async () => {\n"
            "  while (!require('fs').existsSync('told')) await new Promise(r => setTimeout(r, 10));\n"
            "  process.kill(process.ppid, 'SIGKILL');\n  await new Promise(() => {});\n});\n",
        },
        ends={"bad": "test_failures", "killer": "crash"},
        again=frozenset({"killer"}),
    ),
    "a configuration that stops at the first failure": Story(
        config="maxFailures: 1, globalTeardown: './over.ts',",
        # The neighbours end only once a whole run is over, so that none is through before the failure.
        files={"over.ts": "import fs from 'fs';\nexport default () => fs.writeFileSync('over', '');\n"},
        specs={"a": "test('bad', () => { expect(1).toBe(2); });\n" + GOOD, "b": AFTERWARDS, "c": AFTERWARDS},
        ends={"a": "test_failures", "b": "passed", "c": "passed"},
        again=frozenset({"a", "b", "c"}),
    ),
    "flaky tests that are not allowed": Story(
        config="retries: 1, failOnFlakyTests: true,",
        specs={"a": GOOD, "moody": "test('moody', ({}, info) => { expect(info.retry).toBe(1); });\n"},
        ends={"a": "passed", "moody": "test_failures"},
    ),
    "a reporter of their own that leaves": Story(
        config="reporter: './leave.cjs',",
        files={"leave.cjs": "module.exports = class { onEnd() { process.exit(0); } };\n"},
        specs={"a": GOOD, "b": GOOD},
        ends={"a": "evidence_missing", "b": "evidence_missing"},
        again=frozenset({"a", "b"}),
    ),
    "retries of ours": Story(
        specs={
            "a": GOOD,
            "once": GOOD + "test('once', () => { expect(process.env.E2E_ATTEMPT).toBe('2'); });\n",
            "never": GOOD + "test('never', () => { expect(process.env.E2E_ATTEMPT).toBe('9'); });\n",
        },
        retries=1,
        ends={"a": "passed", "once": "flaky", "never": "test_failures"},
    ),
}


def prepare(project: Project, story: Story) -> Project:
    needs_playwright()
    (project.root / "node_modules").symlink_to(playwright_home() / "node_modules")
    config = textwrap.dedent(story.config)
    project.write(
        {
            "package.json": "{}",
            "playwright.config.ts": "import { defineConfig } from '@playwright/test';\n"
            f"export default defineConfig({{ timeout: 60000, {config} }});\n",
            **story.files,
            **{f"{name}.spec.ts": HEAD + textwrap.dedent(text) for name, text in story.specs.items()},
        }
    )
    tests = {name: {"target": f"{name}.spec.ts", **story.details.get(name, {})} for name in story.specs}
    phase = {"name": "p", "tests": tests, "timeout": "10m", "retries": {"max": story.retries, "delay": 0}}
    return project.phases([phase], kind="playwright", workers=2, timeout="10m")


def told(finished: Finished) -> dict[str, Any]:
    """What was said of every test, without times and places."""
    return {
        name.removeprefix("p/"): {
            "end": test["reason"] or test["status"],
            "error": said(test["error"]),
            "attempts": [attempt(one) for one in test["attempts"]],
            "cases": {
                case["id"]: (case["status"], said(case["message"]), case["file"], case["line"])
                for case in test["cases"]
            },
        }
        for name, test in finished.tests.items()
    }


def attempt(one: Mapping[str, Any]) -> tuple[Any, ...]:
    """Whether what we end answers the first signal or needs the last depends on the machine."""
    return one["status"], one["reason"], None if one["reason"] == "timeout" else one["exit_status"]


def said(text: str | None) -> str | None:
    """The first line, without seconds."""
    return re.sub(r"[\d.]+ ?(m?s)\b", r"N \1", text.partition("\n")[0]) if text else None


def packs(finished: Finished) -> list[set[str]]:
    """The tests of each pack, in the order of starting."""
    found = sorted((finished.folder / "packs").glob("*/pack.json"))
    return [{name.removeprefix("p/") for name in json.loads(path.read_text())["tests"]} for path in found]


def repeated(finished: Finished) -> set[str]:
    """The tests whose first attempt began more often than it ended."""
    lines = (finished.folder / "journal.jsonl").read_text().splitlines()
    warned = [e["event"]["message"] for e in map(json.loads, lines) if e["event"]["type"] == "warned"]
    return {one for text in warned if "started again" in text for one in re.findall(r"p/([\w-]+)", text)}


@pytest.mark.parametrize("name", STORIES)
def test_packed_and_unpacked_come_to_the_same(name: str, project: Project, tmp_path: Path) -> None:
    story = STORIES[name]
    prepare(project, story)
    packed = project.run()
    first, *_ = packs(packed)
    assert first == story.packed
    assert repeated(packed) >= story.again
    expected = {f"p/{test}": end for test, end in story.ends.items()}
    assert packed.ends == expected, packed.stdout
    unpacked = project.run("--pack", "off", "--output", "unpacked")
    unpacked = Finished(**{**vars(unpacked), "output": project.root / "unpacked"})
    assert packs(unpacked) == []
    assert told(packed) == told(unpacked)
    assert not processes(str(project.root))

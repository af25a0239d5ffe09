"""Playwright through the whole program: which cases a retry is about, and what they come to together."""

import json
from pathlib import Path

import pytest
from support.kinds import needs_playwright, playwright_home
from support.project import Finished, Project

SPEC = """
import { test } from '@playwright/test';
import { appendFileSync } from 'node:fs';
const attempt = process.env.E2E_ATTEMPT;
const note = (name: string) => appendFileSync('log', `${attempt} ${name}\\n`);
test('good', () => note('good'));
test('once', () => { note('once'); if (attempt === '1') throw new Error('not yet'); });
test.describe.serial('story', () => {
  test('begins', () => note('begins'));
  test('goes on', () => { note('goes on'); if (attempt === '1') throw new Error('not yet either'); });
  test('ends', () => note('ends'));
});
"""


def run(project: Project, spec: str) -> Finished:
    needs_playwright()
    (project.root / "node_modules").symlink_to(playwright_home() / "node_modules")
    project.write({"story.spec.ts": spec})
    phase = {"name": "p", "tests": {"t": "story.spec.ts"}, "retries": {"max": 1, "delay": 0}}
    return project.phases([phase], kind="playwright").run()


def test_a_retry_is_about_what_failed_and_keeps_serial_groups_together(project: Project) -> None:
    finished = run(project, SPEC)
    assert finished.ends == {"p/t": "flaky"}, finished.stdout
    first, second = _log(project.root, "1"), _log(project.root, "2")
    assert first == ["good", "once", "begins", "goes on"]
    assert second == ["once", "begins", "goes on", "ends"]
    assert {title(case["id"]): case["status"] for case in finished.tests["p/t"]["cases"]} == {
        "good": "passed", "once": "flaky", "begins": "passed", "goes on": "flaky", "ends": "passed",
    }  # fmt: skip


def title(case: str) -> str:
    return case.rpartition(" \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ")[2]


def _log(root: Path, attempt: str) -> list[str]:
    lines = (root / "log").read_text().splitlines()
    return [line.partition(" ")[2] for line in lines if line.startswith(attempt)]


@pytest.mark.slow
def test_the_journal_names_the_cases_of_a_retry(project: Project) -> None:
    finished = run(project, SPEC)
    lines = (finished.folder / "journal.jsonl").read_text().splitlines()
    [scheduled] = [
        one["event"] for one in map(json.loads, lines) if one["event"]["type"] == "retry_scheduled"
    ]
    assert [title(case) for case in scheduled["only"]] == ["once", "goes on", "ends"]

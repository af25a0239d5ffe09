"""Small real projects for each kind of test: the same stories told to every built-in runner."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import cast

import pytest
from support.execute import Bench

from e2e_orchestrator.protocols import RunnerFactory
from e2e_orchestrator.runners import BUILTIN

HOSTILE = "ż ]]> <b> $(id) `x` ::error:: ../../etc 'q' \\ \u202e %s {output_dir}"


def playwright_home() -> Path:
    """A folder whose node_modules holds @playwright/test."""
    default = Path(__file__).parents[2] / "examples" / "studio" / "tsx"
    return Path(os.environ.get("E2E_TEST_PLAYWRIGHT", default))


def needs_playwright() -> None:
    if not (playwright_home() / "node_modules" / "@playwright" / "test" / "cli.js").is_file():
        pytest.skip(f"@playwright/test is not installed in {playwright_home()}: run npm ci there")


def playwright_project(folder: Path) -> Path:
    """An empty project that can import @playwright/test."""
    needs_playwright()
    root = folder / "project"
    root.mkdir()
    (root / "node_modules").symlink_to(playwright_home() / "node_modules")
    (root / "package.json").write_text("{}")
    return root


def factory(kind: str) -> RunnerFactory:
    module, _, name = BUILTIN[kind].partition(":")
    return cast(RunnerFactory, getattr(import_module(module), name))


@dataclass(frozen=True, kw_only=True)
class Story:
    """What the project's file holds."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    name: str
    file: str
    stories: Mapping[str, Story]
    target: str = "{file}"
    extra_files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    def bench(self, folder: Path, story: str) -> tuple[Bench, str]:
        """A fresh project with the story's file, and the target."""
        root = playwright_project(folder) if self.name == "playwright" else folder / "project"
        root.mkdir(exist_ok=True)
        for name, text in {**self.extra_files, self.file: self.stories[story].text}.items():
            (root / name).write_text(dedent(text), encoding="utf-8")
        bench = Bench(
            factory=factory(self.name),
            kind=self.name,
            root=root,
            output=folder / "out",
            python=sys.executable if self.name in ("pytest", "django") else None,
        )
        return bench, self.target.replace("{file}", self.file)


PYTEST = Kind(
    name="pytest",
    file="test_story.py",
    extra_files={"pytest.ini": "[pytest]\n"},
    env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    stories={
        "pass": Story(text="def test_one(): pass\ndef test_two(): pass\n"),
        "fail": Story(text="def test_one(): pass\ndef test_two(): assert 1 == 2, 'really bad'\n"),
        "skip": Story(text="import pytest\n@pytest.mark.skip(reason='not today')\ndef test_one(): pass\n"),
        "nothing": Story(text="# No test here.\n"),
        "crash": Story(
            text="import os\ndef test_one(): pass\ndef test_two(): os.kill(os.getpid(), 11)\ndef test_three(): pass\n"
        ),
        "silent": Story(text="import os\nos._exit(0)\n"),
        "midway": Story(
            text="import os\ndef test_one(): pass\ndef test_two(): os._exit(0)\ndef test_three(): pass\n"
        ),
        "hang": Story(
            text="import time\ndef test_one(): pass\ndef test_two(): time.sleep(600)\ndef test_three(): pass\n"
        ),
        "hostile": Story(
            text=f"import pytest\n@pytest.mark.parametrize('x', [1, 2], ids=[{HOSTILE!r}, 'a'])\ndef test_one(x): assert x == 2, {HOSTILE!r}\n"
        ),
    },
)

PLAYWRIGHT_HEAD = "import { test, expect } from '@playwright/test';\n"


def spec(text: str) -> Story:
    return Story(text=PLAYWRIGHT_HEAD + text)


PLAYWRIGHT = Kind(
    name="playwright",
    file="story.spec.ts",
    stories={
        "pass": spec("test('one', () => {});\ntest.describe('deeper', () => { test('two', () => {}); });\n"),
        "fail": spec("test('one', () => {});\ntest('two', () => { expect(1, 'really bad').toBe(2); });\n"),
        "skip": spec("test.skip('one', () => {});\n"),
        "nothing": spec("\n"),
        "crash": spec(
            "test('one', () => {});\n"
            "test('two', async () => { process.kill(process.ppid, 'SIGKILL'); await new Promise(() => {}); });\n"
            "test('three', () => {});\n"
        ),
        "silent": spec("if (!process.env.TEST_WORKER_INDEX) process.exit(0);\n"),
        "midway": spec(
            "test('one', () => {});\n"
            "test('two', async () => { process.kill(process.ppid, 'SIGTERM'); await new Promise(() => {}); });\n"
            "test('three', () => {});\n"
        ),
        "hang": spec(
            "test.setTimeout(0);\n"
            "test('one', () => {});\ntest('two', async () => { await new Promise(() => setInterval(() => {}, 1000)); });\n"
            "test('three', () => {});\n"
        ),
        "hostile": spec(
            f"test({HOSTILE.replace(chr(92), '')!r}, () => {{ throw new Error({HOSTILE.replace(chr(92), '')!r}); }});\n"
            "test('a', () => {});\n"
        ),
    },
)

SPEAK = """
    import json, os, signal, sys, time
    def say(event, **fields):
        with open(os.environ["E2E_EVENTS"], "a") as file:
            file.write(json.dumps({"event": event, **fields}) + "\\n")
    def run(name, status="passed", message=None):
        say("case_started", id=name)
        say("case_finished", id=name, status=status, message=message)
"""


def program(text: str) -> Story:
    return Story(text=dedent(SPEAK) + dedent(text))


BEGIN = 'say("session_started")\nsay("collected", ids=["one", "two", "three"])\nrun("one")\nsay("case_started", id="two")\n'

COMMAND = Kind(
    name="command",
    file="story.py",
    target=f"{sys.executable} {{file}}",
    stories={
        "pass": program(
            'say("session_started"); run("one"); run("two"); say("session_finished", exit_status=0)\n'
        ),
        "fail": program('run("one"); run("two", "failed", "really bad"); sys.exit(1)\n'),
        "skip": program('run("one", "skipped", "not today")\n'),
        "nothing": program('say("session_started"); say("session_finished", exit_status=0)\n'),
        "crash": program(BEGIN + "os.kill(os.getpid(), signal.SIGSEGV)\n"),
        "silent": program('say("session_started")\n'),
        "midway": program(BEGIN + "os._exit(0)\n"),
        "hang": program(BEGIN + "time.sleep(600)\n"),
        "hostile": program(f'run({HOSTILE!r}, "failed", {HOSTILE!r}); run("a"); sys.exit(1)\n'),
    },
)

MANAGE_PY = """
    import os, sys
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    if __name__ == "__main__":
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
"""


def cases(body: str) -> Story:
    return Story(text="import os, time, unittest\nclass Story(unittest.TestCase):\n" + body)


DJANGO = Kind(
    name="django",
    file="test_story.py",
    target="test_story",
    extra_files={"manage.py": MANAGE_PY, "settings.py": "SECRET_KEY = 'x'\nINSTALLED_APPS = []\n"},
    stories={
        "pass": cases("    def test_1(self): pass\n    def test_2(self): pass\n"),
        "fail": cases("    def test_1(self): pass\n    def test_2(self): self.fail('really bad')\n"),
        "skip": cases("    @unittest.skip('not today')\n    def test_1(self): pass\n"),
        "nothing": Story(text="# No test here.\n"),
        "crash": cases(
            "    def test_1(self): pass\n    def test_2(self): os.kill(os.getpid(), 11)\n    def test_3(self): pass\n"
        ),
        "silent": Story(text="import os\nos._exit(0)\n"),
        "midway": cases(
            "    def test_1(self): pass\n    def test_2(self): os._exit(0)\n    def test_3(self): pass\n"
        ),
        "hang": cases(
            "    def test_1(self): pass\n    def test_2(self): time.sleep(600)\n    def test_3(self): pass\n"
        ),
        "hostile": cases(
            f"    def bad(self): self.fail({HOSTILE!r})\n    def good(self): pass\n"
            f"setattr(Story, 'test_' + {HOSTILE!r}, Story.bad)\nsetattr(Story, 'test_żż', Story.good)\n"
        ),
    },
)

KINDS = {kind.name: kind for kind in (PYTEST, PLAYWRIGHT, COMMAND, DJANGO)}

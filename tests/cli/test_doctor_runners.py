"""What the tests of each runner would miss is told with what to type, before a run misses it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from calling import call, write_config


def config_of(folder: Path, runner: dict[str, object], **tests: object) -> str:
    runners = {"r": runner}
    phase = {"name": "p", "runner": "r", "tests": tests}
    return write_config(folder, json.dumps({"runners": runners, "phases": [phase]}))


def program(path: Path, text: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def empty_python(tmp_path):
    """The interpreter of a virtual environment without any package, with a blank in its path."""
    folder = tmp_path / "a project" / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (folder.parent / "test_a.py").touch()
    return folder / "bin" / "python"


def site(python: Path) -> Path:
    (folder,) = python.parents[1].glob("lib/python*/site-packages")
    return folder


class TestPytest:
    def test_one_line_names_what_is_there(self, capsys, tmp_path):
        (tmp_path / "test_a.py").touch()
        runner = {"kind": "pytest", "python": sys.executable, "coverage": {"source": ["x"]}}
        called = call(capsys, "doctor", "-c", config_of(tmp_path, runner, a="test_a.py"))
        assert called.code == 0
        assert f"✓ runner r: {sys.executable}, pytest, pytest-json-report, coverage.py\n" in called.out

    def test_an_interpreter_that_is_not_there(self, capsys, tmp_path):
        (tmp_path / "test_a.py").touch()
        runner = {"kind": "pytest", "python": "no-such-python"}
        called = call(capsys, "doctor", "-c", config_of(tmp_path, runner, a="test_a.py"))
        assert called.code == 5
        assert "✗ runner r: there is no python at 'no-such-python'" in called.out
        assert "(hint: install it, or correct runners.r.python in phases.yaml)" in called.out

    def test_a_virtual_environment_that_is_not_there_is_made_by_what_is_typed(self, capsys, tmp_path):
        (tmp_path / "test_a.py").touch()
        runner = {"kind": "pytest", "python": ".venv/bin/python"}
        called = call(capsys, "doctor", "-c", config_of(tmp_path, runner, a="test_a.py"))
        assert called.code == 5
        assert f"(hint: python3 -m venv {tmp_path}/.venv, or correct runners.r.python" in called.out

    def test_the_projects_own_environment_lacks_pytest(self, capsys, empty_python):
        """Found without ``python:``, and named in a line that a shell takes."""
        root = empty_python.parents[2]
        called = call(capsys, "doctor", "-c", config_of(root, {"kind": "pytest"}, a="test_a.py"))
        assert called.code == 5
        assert (
            f"✗ runner r: pytest is missing in the interpreter of the tests ({empty_python}): " in called.out
        )
        assert f"(hint: '{empty_python}' -m pip install pytest pytest-json-report)" in called.out

    def test_only_the_report_plugin_is_missing(self, capsys, empty_python):
        (site(empty_python) / "pytest.py").touch()
        root = empty_python.parents[2]
        config = config_of(root, {"kind": "pytest"}, a="test_a.py", b="test_a.py")
        called = call(capsys, "doctor", "-c", config)
        assert called.code == 5
        (line,) = (line for line in called.out.splitlines() if "runner r" in line)
        assert f"(hint: '{empty_python}' -m pip install pytest-json-report, or say" in line
        config = config_of(root, {"kind": "pytest", "json_report": False}, a="test_a.py")
        assert call(capsys, "doctor", "-c", config).code == 0

    def test_a_package_that_breaks_when_it_is_imported_is_not_there(self, capsys, empty_python):
        (site(empty_python) / "pytest.py").write_text("raise RuntimeError('broken installation')\n")
        root = empty_python.parents[2]
        called = call(capsys, "doctor", "-c", config_of(root, {"kind": "pytest"}, a="test_a.py"))
        assert called.code == 5
        assert "RuntimeError: broken installation" in called.out

    def test_what_only_a_test_that_does_not_run_would_miss_is_no_trouble(self, capsys, empty_python):
        root = empty_python.parents[2]
        tests = {"a": {"target": "test_a.py", "when": "no"}}
        called = call(capsys, "doctor", "-c", config_of(root, {"kind": "pytest"}, **tests))
        assert called.code == 0
        assert "✓ runner r: no test uses it" in called.out


class TestPlaywright:
    @pytest.fixture
    def root(self, tmp_path, monkeypatch):
        """A project whose node says whether Playwright starts, and whether there is a browser."""
        said = 'if [ "$2" = --version ]; then printf "Error: no core\\n\\nNode.js v99\\n" >&2; exit "${VERSION:-0}"; fi\nexit "${BROWSERS:-0}"'
        node = program(tmp_path / "bin" / "node", said)
        monkeypatch.setenv("PATH", f"{node.parent}{os.pathsep}{os.environ['PATH']}")
        (tmp_path / "a.spec.ts").touch()
        (tmp_path / "package-lock.json").touch()
        return tmp_path

    def install(self, root: Path) -> Path:
        cli = root / "node_modules" / "@playwright" / "test" / "cli.js"
        cli.parent.mkdir(parents=True)
        cli.touch()
        return cli

    def test_without_node_modules(self, capsys, root):
        called = call(capsys, "doctor", "-c", config_of(root, {"kind": "playwright"}, a="a.spec.ts"))
        assert called.code == 5
        assert (
            f"✗ runner r: @playwright/test is not installed for {root} (hint: cd {root} && npm ci)"
            in called.out
        )

    def test_without_node(self, capsys, root, monkeypatch):
        self.install(root)
        monkeypatch.setenv("PATH", str(root))
        called = call(capsys, "doctor", "-c", config_of(root, {"kind": "playwright"}, a="a.spec.ts"))
        assert called.code == 5
        assert (
            "✗ runner r: node, which runs Playwright, is not on the PATH (hint: install Node.js" in called.out
        )

    def test_with_all_of_it(self, capsys, root):
        cli = self.install(root)
        called = call(capsys, "doctor", "-c", config_of(root, {"kind": "playwright"}, a="a.spec.ts"))
        assert called.code == 0
        assert f"✓ runner r: {root}/bin/node, {cli.parent}, a browser of its own" in called.out

    def test_half_an_installation(self, capsys, root, monkeypatch):
        cli = self.install(root)
        monkeypatch.setenv("VERSION", "1")
        called = call(capsys, "doctor", "-c", config_of(root, {"kind": "playwright"}, a="a.spec.ts"))
        assert called.code == 5
        says = f"✗ runner r: @playwright/test at {cli.parent} cannot be started: Error: no core (hint: cd {root} && npm ci)"
        assert says in called.out

    def test_a_browser_of_its_own_may_be_missing(self, capsys, root, monkeypatch):
        """The configuration may name another one, and only a run reads it."""
        self.install(root)
        monkeypatch.setenv("BROWSERS", "1")
        called = call(capsys, "doctor", "-c", config_of(root, {"kind": "playwright"}, a="a.spec.ts"))
        assert called.code == 0
        (line,) = (line for line in called.out.splitlines() if "runner r" in line)
        assert line.startswith("! runner r: ")
        assert f"(hint: cd {root} && npx playwright install chromium" in line


class TestCommand:
    def test_programs_are_named_once_and_those_that_are_missing_with_their_test(self, capsys, tmp_path):
        here = program(tmp_path / "tools" / "check")
        tests = {"a": "tools/check a", "b": "tools/check b", "c": "no-such-program", "d": "tools/absent"}
        config = config_of(tmp_path, {"kind": "command"}, **tests)
        called = call(capsys, "doctor", "-c", config)
        assert called.code == 5
        lines = [line for line in called.out.splitlines() if "runner r" in line]
        assert lines[0].startswith("✗ runner r: test p/c: there is no program 'no-such-program'")
        assert lines[1].startswith("✗ runner r: test p/d: there is no program 'tools/absent'")
        config = config_of(tmp_path, {"kind": "command"}, a=tests["a"], b=tests["b"])
        assert f"✓ runner r: {here}\n" in call(capsys, "doctor", "-c", config).out

    def test_the_path_of_the_test_decides(self, capsys, tmp_path):
        here = program(tmp_path / "tools" / "check")
        env = {"PATH": str(here.parent)}
        config = config_of(tmp_path, {"kind": "command"}, a={"target": "check", "env": env})
        assert f"✓ runner r: {here}\n" in call(capsys, "doctor", "-c", config).out

    def test_more_than_anybody_reads_is_counted(self, capsys, tmp_path):
        tests = {f"t{number}": f"no-such-program-{number}" for number in range(7)}
        called = call(capsys, "doctor", "-c", config_of(tmp_path, {"kind": "command"}, **tests))
        lines = [line for line in called.out.splitlines() if "runner r" in line]
        assert len(lines) == 6
        assert lines[-1] == "✗ runner r: and 2 more"


class TestDjango:
    def test_without_a_project_or_without_django(self, capsys, empty_python):
        root = empty_python.parents[2]
        config = config_of(root, {"kind": "django"}, a="shop")
        called = call(capsys, "doctor", "-c", config)
        assert called.code == 5
        assert f"✗ runner r: test p/a: there is no manage.py in {root}" in called.out
        (root / "manage.py").touch()
        called = call(capsys, "doctor", "-c", config)
        assert called.code == 5
        assert f"(hint: '{empty_python}' -m pip install django)" in called.out
        (site(empty_python) / "django.py").touch()
        assert f"✓ runner r: {empty_python}, Django\n" in call(capsys, "doctor", "-c", config).out

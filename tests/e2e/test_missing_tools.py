"""What a run and ``doctor`` say of a tool that is not there: the same, in words that a shell takes."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.kinds import playwright_project
from support.project import Project

pytestmark = pytest.mark.slow


def typed(said: str) -> list[str]:
    """The words of the hint, up to an alternative."""
    hint = said.partition("hint: ")[2].splitlines()[0]
    return shlex.split(hint.partition(", or ")[0].removesuffix(")"))


@pytest.mark.parametrize("kind", ["pytest", "django"])
def test_the_environment_of_the_project_lacks_the_package(tmp_path: Path, kind: str) -> None:
    """Nobody named the interpreter: it is the ``.venv`` beside the file."""
    root = tmp_path / "a project"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    project = Project(root).write({"shop.py": "", "manage.py": "import django\n"})
    target = "shop.py" if kind == "pytest" else "shop"
    project.phases([{"name": "p", "tests": {"a": target}}], runners={"r": {"kind": kind}})
    packages = {"pytest": ["pytest", "pytest-json-report"], "django": ["django"]}[kind]
    wanted = [str(root / ".venv" / "bin" / "python"), "-m", "pip", "install", *packages]
    run = project.run()
    assert (run.exit_code, run.ends) == (5, {"p/a": "infrastructure"})
    assert typed(run.tests["p/a"]["error"]) == wanted
    told = project.run("doctor")
    assert told.exit_code == 5
    assert typed(told.stdout) == wanted


def test_a_headless_browser_alone_is_a_browser(tmp_path: Path) -> None:
    """As Playwright itself names the folders below PLAYWRIGHT_BROWSERS_PATH."""
    root = playwright_project(tmp_path)
    project = Project(root).write({"a.spec.ts": ""})
    project.phases([{"name": "p", "tests": {"a": "a.spec.ts"}}], kind="playwright")
    browsers = tmp_path / "browsers"
    env = {"PLAYWRIGHT_BROWSERS_PATH": str(browsers)}
    without = project.run("doctor", env=env)
    assert (without.exit_code, "! runner r: " in without.stdout) == (0, True)
    ask = "process.stdout.write(require('playwright-core').chromium.executablePath())"
    path = subprocess.run(
        ["node", "-e", ask], cwd=root, env={**os.environ, **env}, check=True, capture_output=True, text=True
    ).stdout
    chromium = Path(path).relative_to(browsers).parts[0]
    (browsers / chromium.replace("chromium-", "chromium_headless_shell-")).mkdir(parents=True)
    told = project.run("doctor", env=env)
    assert "✓ runner r: " in told.stdout
    assert "a browser of its own" in told.stdout

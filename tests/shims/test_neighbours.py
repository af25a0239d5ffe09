"""Which files pytest looks at beside those that it was asked for; nobody who could tell the difference is told one."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from e2e_orchestrator.runners.pytest import PLUGIN, PLUGIN_FOLDER

FILES = {
    "pytest.ini": "[pytest]\n",
    "suite/test_one.py": "def test_one(): pass\n",
    "suite/test_two.py": "def test_two(): pass\n",
    "suite/test_three.py": "def test_three(): assert 1 == 2\n",
    "suite/below/test_four.py": "def test_four(): pass\n",
    "suite/package/__init__.py": "",
    "suite/package/test_five.py": "def test_five(): pass\n",
    "suite/package/test_six.py": "def test_six(): pass\n",
}
# Notes of which files pytest makes nodes; no hook of collection is needed for that.
NOTING = """
    import json, os, sys
    import pytest

    MADE, SEEN = [], []
    make = pytest.Module.__init__

    def noting(self, *args, **kwargs):
        make(self, *args, **kwargs)
        MADE.append(self.path.name)

    pytest.Module.__init__ = noting

    def pytest_unconfigure(config):
        with open(os.environ["TOLD"], "w") as file:
            json.dump({"made": MADE, "seen": SEEN}, file)
"""
IGNORES = """
    def pytest_ignore_collect(collection_path):
        SEEN.append(collection_path.name)
"""
COLLECTS = """
    def pytest_collect_file(file_path):
        SEEN.append(file_path.name)
"""
WRAPS = """
    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(collector):
        outcome = yield
        SEEN.extend(one.path.name for one in outcome.get_result().result)
"""
COMES_LATE = """
    def pytest_collectstart(collector):
        manager = collector.config.pluginmanager
        if collector.path.name == "suite" and not manager.hasplugin("late"):
            class Late:
                def pytest_collect_file(self, file_path):
                    SEEN.append(file_path.name)
            manager.register(Late(), "late")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``made`` and ``seen`` are names of files, ``printed`` is what pytest says without its times."""

    status: int
    made: list[str]
    seen: list[str]
    printed: list[str]


class Suite:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        for name, text in {**FILES, "conftest.py": NOTING}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")

    def also(self, name: str, text: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(dedent(text))

    def run(self, *words: str, ours: bool) -> Told:
        told = self.folder.parent / "told.json"
        told.unlink(missing_ok=True)
        plugin = ("-p", PLUGIN) if ours else ()
        env = {
            **os.environ,
            "PYTHONPATH": str(PLUGIN_FOLDER),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "E2E_EVENTS": str(self.folder.parent / "events.jsonl"),
            "TOLD": str(told),
        }
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *plugin, *words],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = [line for line in done.stdout.splitlines() if not line.startswith("=")]
        return Told(status=done.returncode, printed=printed, **json.loads(told.read_bytes()))

    def both(self, *words: str) -> tuple[Told, Told]:
        return self.run(*words, ours=True), self.run(*words, ours=False)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


@pytest.mark.parametrize(
    ("words", "made"),
    [
        pytest.param(["suite/test_one.py"], {"test_one.py"}, id="one file"),
        pytest.param(["suite/test_one.py::test_one"], {"test_one.py"}, id="one case"),
        pytest.param(
            ["suite/test_one.py", "suite/test_three.py"], {"test_one.py", "test_three.py"}, id="two"
        ),
        pytest.param(["suite/package/test_five.py"], {"test_five.py"}, id="in a package"),
        pytest.param(["suite/package"], {"test_five.py", "test_six.py"}, id="a folder"),
        pytest.param(
            ["suite/below", "suite/test_two.py"], {"test_four.py", "test_two.py"}, id="a folder too"
        ),
    ],
)
def test_neighbours_of_what_was_asked_for_are_not_looked_at(
    suite: Suite, words: list[str], made: set[str]
) -> None:
    ours, plain = suite.both(*words)
    assert set(ours.made) == made < set(plain.made), "or pytest has learned it itself"
    assert (ours.status, ours.printed) == (plain.status, plain.printed)


@pytest.mark.parametrize("words", [["suite"], ["."], [], ["suite/nowhere.py"]])
def test_what_is_asked_for_is_looked_through_as_ever(suite: Suite, words: list[str]) -> None:
    ours, plain = suite.both(*words)
    assert ours == plain


@pytest.mark.parametrize(
    "hooks",
    [
        pytest.param(IGNORES, id="ignores files"),
        pytest.param(COLLECTS, id="collects files"),
        pytest.param(WRAPS, id="looks at what a folder has"),
        pytest.param(COMES_LATE, id="comes while files are collected"),
        pytest.param("collect_ignore = ['suite/test_two.py']\n", id="names files to ignore"),
        pytest.param("collect_ignore_glob = [5]\n", id="names what is no pattern"),
    ],
)
def test_whoever_may_see_the_neighbours_does(suite: Suite, hooks: str) -> None:
    suite.also("conftest.py", hooks)
    ours, plain = suite.both("suite/test_one.py")
    assert ours == plain


def test_a_wrong_pattern_is_told_as_ever(suite: Suite) -> None:
    suite.also("pytest.ini", "python_files = 'never closed\n")
    ours, plain = suite.both("--assert=plain", "suite/test_one.py")  # Else it is told before.
    assert plain.status != 0
    assert (ours.status, ours.made) == (plain.status, plain.made)


def test_hypothesis_still_warns_of_its_own_folder(suite: Suite) -> None:
    (suite.folder / "suite" / ".hypothesis").mkdir()
    suite.also("pytest.ini", "norecursedirs = nothing\n")
    ours, plain = suite.both("-p", "_hypothesis_pytestplugin", "suite/test_one.py")
    assert ours.made == ["test_one.py"]
    assert any("Skipping collection of '.hypothesis'" in line for line in ours.printed)
    assert (ours.status, ours.printed) == (plain.status, plain.printed)

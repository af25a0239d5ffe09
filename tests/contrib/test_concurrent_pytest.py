"""``pytest --concurrent``: what it tells is what pytest alone would have told."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.project import Project

PLUGIN = "e2e_orchestrator.contrib.pytest_plugin"
ALL_ENDS = """
    import pytest
    def test_good(): pass
    def test_bad(): assert 1 == 2, "really bad"
    @pytest.mark.skip(reason="not today")
    def test_skipped(): pass
    @pytest.mark.xfail(reason="known")
    def test_xfailed(): assert False
    @pytest.mark.xfail(reason="gone")
    def test_xpassed(): pass
    @pytest.fixture
    def broken(): raise RuntimeError("no database")
    def test_setup(broken): pass
    @pytest.mark.parametrize("x", ["a b", "c::d"])
    def test_parameters(x): pass
"""
DYING = "import os\ndef test_good(): pass\ndef test_dies(): os._exit(0)\ndef test_never(): pass\n"

pytestmark = pytest.mark.slow


def pytest_in(project: Project, *words: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", PLUGIN, "-p", "no:cacheprovider", *words],
        cwd=project.root / folder,
        env={**os.environ, "TMPDIR": str(project.root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def counts(done: subprocess.CompletedProcess[str]) -> set[str]:
    line = next(one for one in reversed(done.stdout.splitlines()) if re.search(r" in [0-9.]+s", one))
    return set(
        re.findall(r"[0-9]+ (?:passed|failed|skipped|errors?|xfailed|xpassed|deselected|warnings?)", line)
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    files = {
        "pytest.ini": "[pytest]\n",
        "a/test_ends.py": ALL_ENDS,
        "b/test_more.py": "def test_fine(): pass\n",
    }
    return Project(tmp_path).write(files)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((), id="all"),
        pytest.param(("-k", "good or fine"), id="by an expression"),
        pytest.param(
            ("a/test_ends.py::test_good", "a/test_ends.py::test_bad", "b"), id="by node id and folder"
        ),
    ],
)
def test_the_counts_are_those_of_pytest_alone(project: Project, words: tuple[str, ...]) -> None:
    alone, together = pytest_in(project, *words), pytest_in(project, "--concurrent", "--workers=2", *words)
    assert counts(together) == counts(alone)
    assert together.returncode == alone.returncode


def test_messages_and_junit_are_pytests_own(project: Project) -> None:
    done = pytest_in(project, "--concurrent", "--workers", "2", "--junitxml=out.xml")
    assert "really bad" in done.stdout
    assert "no database" in done.stdout
    text = (project.root / "out.xml").read_text()
    assert 'tests="9"' in text
    assert "really bad" in text


def test_a_file_whose_process_dies_loses_no_test(project: Project) -> None:
    project.write({"b/test_more.py": DYING})
    done = pytest_in(project, "--concurrent", "--workers=2", "b")
    assert counts(done) == {"1 passed", "2 errors"}
    assert done.returncode == 1
    assert "evidence_missing" in done.stdout


def test_it_starts_in_any_folder_of_the_project(project: Project) -> None:
    done = pytest_in(project, "--concurrent", "--workers=2", "../b/test_more.py::test_fine", ".", folder="a")
    assert counts(done) == counts(pytest_in(project, "../b/test_more.py::test_fine", ".", folder="a"))


def test_the_first_failure_ends_the_others_without_blaming_them(project: Project) -> None:
    project.write({"a/test_ends.py": "def test_bad(): assert False\n"})
    project.write({"b/test_more.py": "import time\ndef test_long(): time.sleep(600)\n"})
    done = pytest_in(project, "--concurrent", "--workers=2", "-x")
    assert counts(done) == {"1 failed"}
    assert done.returncode == 1


def test_without_the_option_nothing_of_ours_is_loaded(project: Project) -> None:
    text = """
        import sys
        def test_modules():
            ours = {name for name in sys.modules if name.startswith("e2e_orchestrator")}
            assert ours == {
                "e2e_orchestrator",
                "e2e_orchestrator.contrib",
                "e2e_orchestrator.contrib.pytest_plugin",
                "e2e_orchestrator.contrib.workers",
            }
            assert not {"pydantic", "click", "httpx"} & set(sys.modules)
    """
    project.write({"b/test_more.py": text})
    assert pytest_in(project, "b").returncode == 0


TEARDOWN = """
    import pytest, warnings
    @pytest.fixture
    def dirty():
        yield
        raise RuntimeError("not closed")
    def test_pass_and_error(dirty): pass
    def test_fail_and_error(dirty): assert 1 == 2, "really bad"
    def test_warns(): warnings.warn("old", UserWarning)
    def test_last(): pass
"""


def junit(path: Path) -> tuple[dict[str, str | None], list[tuple[str | None, list[str]]]]:
    suite = ET.parse(path).getroot().find("testsuite")
    assert suite is not None
    numbers = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    cases = [(case.get("name"), [one.tag for one in case]) for case in suite.iter("testcase")]
    return numbers, sorted(cases, key=str)


def summary(done: subprocess.CompletedProcess[str]) -> list[str]:
    return sorted(re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE))


@pytest.mark.parametrize("words", [(), ("-x",), ("--maxfail=2",), ("--maxfail=3",)], ids=str)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(ALL_ENDS, "def test_fine(): pass", id="every end, and a pass"),
        pytest.param("def test_fine(): pass", ALL_ENDS, id="a pass, and every end"),
        pytest.param(TEARDOWN, TEARDOWN, id="errors in teardown, and warnings"),
        pytest.param("import nothing_of_that_name", TEARDOWN, id="a module that cannot be loaded"),
    ],
)
def test_the_summary_and_junit_are_those_of_pytest_alone(
    project: Project, words: tuple[str, ...], first: str, second: str
) -> None:
    project.write({"a/test_ends.py": first, "b/test_more.py": second})
    alone = pytest_in(project, "--junitxml=alone.xml", *words)
    together = pytest_in(project, "--concurrent", "--workers=2", "--junitxml=together.xml", *words)
    assert counts(together) == counts(alone)
    assert summary(together) == summary(alone)
    assert junit(project.root / "together.xml") == junit(project.root / "alone.xml")
    assert together.returncode == alone.returncode

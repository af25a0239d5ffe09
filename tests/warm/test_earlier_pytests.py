"""A pytest of an earlier line is forked as well, and its cases end as they do cold."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.project import Project
from warm_world import Attempts, Both, kept, planned, run

from e2e_orchestrator.process.preload import Preloading

NAMES = ("passes", "fails", "brings_fixtures")
CONFTEST = """
    import os, pytest
    with open("/proc/self/cmdline", "rb") as file:
        way = "warm" if b"warm_server.py" in file.read() else "cold"
    with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "started"), "w") as file:
        file.write(f"{way} {pytest.__version__}")
"""
FILES = {
    "passes": "def test_one(): pass\n",
    "fails": "def test_one():\n    left, right = [1, 2], [1, 3]\n    assert left == right\n",
    "brings_fixtures": """
        import pytest
        pytest_plugins = ["pytester"]
        @pytest.mark.parametrize("number", [1, 2])
        def test_numbers(number, request):
            assert request.config.getini("python_files") == ["test_*.py", "*_test.py"]
        def test_inner(pytester):
            pytester.makepyfile("def test(): assert 1")
            pytester.runpytest_inprocess().assert_outcomes(passed=1)
        @pytest.mark.skip(reason="not today")
        def test_skipped(): pass
    """,
}


def earlier(folder: Path, version: str) -> Path:
    """A virtual environment with this pytest, and nothing of ours."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    wanted = [f"pytest=={version}", "pytest-json-report>=1.5,<2"]
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", *wanted]
    installed = subprocess.run(pip, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"pytest {version} cannot be installed: {installed.stderr[-300:]}")
    return python


@pytest.fixture(scope="module", params=["7.4.4", "8.4.2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def both(version: str, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Cold, and in a second run that knows what the first imported."""
    root = tmp_path_factory.mktemp("earlier")
    project = Project(root).write({"conftest.py": CONFTEST, "pytest.ini": "[pytest]\n"})
    project.write({f"test_{name}.py": text for name, text in FILES.items()})
    planned(project, earlier(root / "venv", version), {name: f"test_{name}.py" for name in NAMES})
    run(project, "--warm", "on")
    ways: list[Attempts] = [kept(run(project, "--warm", way), root / way) for way in ("off", "on")]
    return Both(cold=ways[0], warm=ways[1])


@pytest.mark.slow
def test_the_second_run_is_warm_and_every_case_ends_the_same(both: Both, version: str) -> None:
    assert [way for way, _ in both.warm.chosen] == ["warm"], both.warm.chosen
    for name in NAMES:
        assert both.cold.file(name, "started") == f"cold {version}"
        assert both.warm.file(name, "started") == f"warm {version}"
        assert both.warm.seen(name) == both.cold.seen(name)
    assert both.cold.run.ends == {
        "p/passes": "passed",
        "p/fails": "test_failures",
        "p/brings_fixtures": "passed",
    }


def test_a_pytest_with_another_import_hook_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("_pytest.__version__", "99.1")
    monkeypatch.delattr("_pytest.assertion.install_importhook")
    preloading = Preloading(lambda _: True, avoided=())
    preloading.run([("a_module_of_nobody", True)])
    why = preloading.unsafe["pytest"]
    assert "pytest 99.1 cannot be imported ahead" in why
    assert "`warm: off`" in why

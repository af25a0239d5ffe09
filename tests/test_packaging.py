"""The wheel holds what it needs, nothing else, and runs where only it and its dependencies are."""

import os
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "e2e_orchestrator"

pytestmark = pytest.mark.slow


def build(kind: str, *, source: Path, into: Path) -> Path:
    """With the build back end itself: it needs no network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", into],
        cwd=source,
        capture_output=True,
        check=True,
    )
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", source=ROOT, into=tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(ZipFile(wheel).namelist())


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - names == set()


def test_what_runs_in_other_programs_is_in_the_wheel(names: set[str]) -> None:
    shims = "e2e_orchestrator/runners/shims"
    assert f"{shims}/e2e_orchestrator_case_stream.cjs" in names
    assert f"{shims}/pytest_path/e2e_orchestrator_case_stream.py" in names
    assert f"{shims}/pytest_path/e2e_orchestrator_stream.py" in names
    assert f"{shims}/pytest_path/e2e_orchestrator_blame.py" in names
    assert f"{shims}/pytest_path/e2e_orchestrator_neighbours.py" in names
    assert f"{shims}/django_manage.py" in names
    assert "e2e_orchestrator/py.typed" in names


def test_the_licence_is_in_the_wheel(names: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_nothing_but_the_package_is_in_the_wheel(names: set[str]) -> None:
    metadata = f"e2e_orchestrator-{version('e2e-orchestrator')}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"e2e_orchestrator", metadata}
    assert [name for name in names if "/test_" in name or "/tests/" in name or name.endswith(".pyc")] == []


def test_a_wheel_from_the_source_distribution_is_the_same(names: set[str], tmp_path: Path) -> None:
    archive = build("sdist", source=ROOT, into=tmp_path / "sdist")
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", tmp_path], check=True)
    again = build("wheel", source=tmp_path / archive.name.removesuffix(".tar.gz"), into=tmp_path / "wheel")
    assert set(ZipFile(again).namelist()) == names


def test_it_runs_from_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    venv.create(fresh, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(fresh / "bin" / "python")]
    subprocess.run(
        [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", str(wheel)],
        env={name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
        check=True,
    )
    # Its dependencies come from here. The package does not: an editable installation is not found this way.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": sysconfig.get_path("purelib")}
    program = fresh / "bin" / "e2e-orchestrate"
    shown = subprocess.run(
        [program, "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert version("e2e-orchestrator") in shown.stdout
    where = [str(fresh / "bin" / "python"), "-c", "import e2e_orchestrator; print(e2e_orchestrator.__file__)"]
    place = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert place.stdout.startswith(str(fresh))

"""What speaks against a warm start, and what is remembered for one: tables, no processes."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from e2e_orchestrator.executors.warm_memory import Imports, Memory, names_in
from e2e_orchestrator.executors.warm_refusal import folders_of, refusal
from e2e_orchestrator.model.command import WarmStart
from e2e_orchestrator.model.plan import CoverageSpec, Warm


def start(*arguments: str, mode: Warm = Warm.AUTO) -> WarmStart:
    return WarmStart(mode=mode, alike=("True", *arguments), target=Path("test_a.py"))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every start is cold")
@pytest.mark.parametrize("mode", [Warm.AUTO, Warm.ON])
@pytest.mark.parametrize(
    ("env", "why"),
    [
        pytest.param({}, None, id="our own coverage"),
        pytest.param({"COVERAGE_RCFILE": "x"}, None, id="its configuration"),
        pytest.param({"COVERAGE_PROCESS_START": "x"}, "COVERAGE_PROCESS_START is set", id="every process"),
        pytest.param({"COVERAGE_PROCESS_CONFIG": "x"}, "COVERAGE_PROCESS_CONFIG is set", id="handed down"),
    ],
)
def test_two_that_measure_never_share_a_fork(mode: Warm, env: dict[str, str], why: str | None) -> None:
    measured = replace(start(mode=mode), coverage=CoverageSpec(source=("app",)))
    assert refusal(measured, env=env, attempt=1) == why


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every start is cold")
@pytest.mark.parametrize(
    ("arguments", "env", "attempt", "why"),
    [
        pytest.param((), {}, 1, None, id="nothing"),
        pytest.param(("-q", "--no-header", "--covfefe"), {}, 1, None, id="other arguments"),
        pytest.param(("-n", "2"), {}, 1, "pytest-xdist is active", id="xdist"),
        pytest.param(("-n4",), {}, 1, "pytest-xdist is active", id="xdist in one word"),
        pytest.param(("--dist=loadfile",), {}, 1, "pytest-xdist is active", id="xdist's long option"),
        pytest.param(("--cov=src",), {}, 1, "coverage is active", id="coverage"),
        pytest.param(("--cov-report", "xml"), {}, 1, "coverage is active", id="coverage's other options"),
        pytest.param(("--pdb",), {}, 1, "a debugger is active", id="a debugger"),
        pytest.param((), {"PYTHONDEVMODE": "1"}, 1, "PYTHONDEVMODE is set", id="a flag"),
        pytest.param((), {"PYTHONDEVMODE": ""}, 1, None, id="an empty flag"),
        pytest.param((), {"COVERAGE_PROCESS_START": "x"}, 1, "COVERAGE_PROCESS_START is set", id="below"),
        pytest.param((), {}, 2, "a retry has a hash seed of its own", id="a retry"),
        pytest.param((), {"PYTHONHASHSEED": "random"}, 2, "a retry has a hash seed of its own", id="random"),
        pytest.param((), {"PYTHONHASHSEED": "0"}, 2, None, id="a retry with a seed that is given"),
    ],
)
def test_what_speaks_against_it(
    arguments: tuple[str, ...], env: dict[str, str], attempt: int, why: str | None
) -> None:
    assert refusal(start(*arguments), env=env, attempt=attempt) == why
    assert refusal(start(*arguments, mode=Warm.ON), env=env, attempt=attempt) is None


def test_a_file_may_import_from_its_folder_and_those_above(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "test_a.py"
    target.parent.mkdir(parents=True)
    target.touch()
    assert folders_of(target, below=tmp_path) == [tmp_path / "a" / "b", tmp_path / "a", tmp_path]


def test_a_folder_also_from_those_below(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / ".git").mkdir()
    (tmp_path / "a" / "node_modules").mkdir()
    found = folders_of(tmp_path / "a", below=tmp_path)
    assert {*(found or ())} == {tmp_path / "a" / "b", tmp_path / "a", tmp_path}


def test_one_of_too_many_folders_is_not_looked_through(tmp_path: Path) -> None:
    for number in range(400):
        (tmp_path / f"n{number}").mkdir()
    assert folders_of(tmp_path, below=tmp_path) is None


def test_modules_and_packages_have_names_and_folders_without_init_do_not(tmp_path: Path) -> None:
    for name in (
        "one.py",
        "two.cpython-311-x86_64-linux-gnu.so",
        "notes.txt",
        "three/__init__.py",
        "four/x.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert names_in([tmp_path, tmp_path / "nowhere"]) == {"one", "two", "three"}


ONE = Imports(modules=(("a", False), ("b", True), ("c", False)), roots=("/x",), avoid={"d": "why"})


def test_common_is_what_both_imported_in_the_same_way() -> None:
    other = Imports(modules=(("c", False), ("b", False), ("a", False)), roots=("/y", "/x"))
    assert ONE.common(other) == Imports(
        modules=(("a", False), ("c", False)), roots=("/x", "/y"), avoid={"d": "why"}
    )


def test_it_is_remembered_until_something_is_installed(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    stamps = {str(installed): installed.stat().st_mtime_ns, str(tmp_path / "pytest.ini"): 0}
    known = Imports(modules=ONE.modules, roots=ONE.roots, stamps=stamps, avoid=ONE.avoid)
    Memory(tmp_path / "warm-start.json").keep("key", known)
    assert Memory(tmp_path / "warm-start.json").recall("key") == known
    assert Memory(tmp_path / "warm-start.json").recall("other") is None
    os.utime(installed, ns=(0, 0))
    assert Memory(tmp_path / "warm-start.json").recall("key") is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 1, "imports": {"key": {}}}', "null", "{"])
def test_a_file_that_is_none_is_forgotten(tmp_path: Path, text: str) -> None:
    (tmp_path / "warm-start.json").write_text(text)
    assert Memory(tmp_path / "warm-start.json").recall("key") is None

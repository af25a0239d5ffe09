"""Suites that nobody here wrote: we report what pytest reports, case by case and in total."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.project import Project

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("E2E_TEST_PARITY", Path(tempfile.gettempdir()) / "e2e-orchestrator-parity"))
NATIVE_LIMIT = 120


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A source distribution that ships its tests; ``parts`` are our tests, one after another."""

    name: str
    version: str
    sha256: str
    parts: Sequence[str]
    args: Sequence[str] = ()
    path: str = "src"
    shows: Sequence[str] = ()

    def source(self) -> Path:
        """Its unpacked source, downloaded once; what cannot be downloaded is an error, not a skip."""
        folder = CACHE / f"{self.name}-{self.version}"
        if not folder.is_dir():
            CACHE.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=CACHE) as aside:
                self._download(Path(aside))
                (archive,) = Path(aside).glob("*.tar.gz")
                with tarfile.open(archive) as tar:
                    tar.extractall(Path(aside) / "out", filter="data")
                (unpacked,) = (Path(aside) / "out").iterdir()
                unpacked.rename(folder)
        return folder

    def _download(self, folder: Path) -> None:
        wanted = folder / "requirements.txt"
        wanted.write_text(f"{self.name}=={self.version} --hash=sha256:{self.sha256}\n", encoding="ascii")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", folder, "--require-hashes", "-r", wanted], check=True)


CACHETOOLS = Suite(
    name="cachetools",
    version="6.2.1",
    sha256="3f391e4bd8f8bf0931169baf7456cc822705f4e2a31f840d218f445b9a854201",
    parts=["tests"],
)
SUITES = {
    "a folder of unittest classes": CACHETOOLS,
    "the same by file, half of its cases in trouble": Suite(
        name="cachetools",
        version="6.2.1",
        sha256=CACHETOOLS.sha256,
        parts=[
            *("tests/test_cache.py", "tests/test_cached.py", "tests/test_keys.py", "tests/test_lru.py"),
            *("tests/test_ttl.py", "tests/test_tlru.py", "tests/test_cachedmethod.py"),
        ],
        args=["-p", "trouble", "-v"],
    ),
    "ids that hold line breaks": Suite(
        name="iniconfig",
        version="2.3.0",
        sha256="c76315c77db068650d49c5b56314774a7804df16fee4402c1f19d6d15d8c4730",
        parts=["testing"],
        args=["-p", "trouble"],
    ),
    "six thousand cases on two workers, in trouble": Suite(
        name="idna",
        version="3.11",
        sha256="795dafcc9c04ed0c1fb032c2aa73654d8e8c5023a7df64a53f39190ada629902",
        path=".",
        parts=["tests"],
        args=["-p", "trouble", "-n", "2"],
        shows=["passed", "failed", "error", "skipped", "xfailed", "xpassed"],
    ),
    "a suite about plugins, stopped after some failures": Suite(
        name="pluggy",
        version="1.6.0",
        sha256="7dcc130b76258d33b90f61b658791dede3486c3e6bfb003ee5c9bfb396dd22f3",
        parts=["testing"],
        args=["-p", "trouble", "--maxfail=3"],
        shows=["passed", "not_run"],
    ),
    "modules whose imports are missing, and pytest told to carry on": Suite(
        name="jinja2",
        version="3.1.6",
        sha256="0137fb05990d35f1275a587e9aee6d56da821fc83491a0fb838183be43f66d6d",
        parts=["tests"],
        args=["--continue-on-collection-errors", "-p", "trouble", "-q"],
    ),
    "modules whose imports are missing": Suite(
        name="jinja2",
        version="3.1.6",
        sha256="0137fb05990d35f1275a587e9aee6d56da821fc83491a0fb838183be43f66d6d",
        parts=["tests"],
    ),
    "a suite that forbids warnings, quiet, with part of it left out": Suite(
        name="click",
        version="8.3.0",
        sha256="e7b8232224eba16f4ebe410c25ced9f7875cb5f3263ffc93cc3e8da705e229c4",
        parts=["tests"],
        # Its pager tests race with the pager that they start, whoever runs them.
        args=[
            "-qq",
            "-W",
            "default::pytest.PytestRemovedIn10Warning",
            "-k",
            "not shell and not pager",
            "-p",
            "trouble",
        ],
    ),
    "thousands of subtests and doctests": Suite(
        name="more-itertools",
        version="10.8.0",
        sha256="f638ddf8a1a0d134181275fb5d58b086ead7c6a72429ad725c67503f13ba30bd",
        path=".",
        parts=["tests/test_recipes.py", "more_itertools"],
        args=["--doctest-modules", "-p", "trouble"],
    ),
}


def _native(suite: Suite, root: Path, part: str) -> tuple[int, dict[str, str]]:
    """pytest's own exit status, and what became of every case it collected."""
    found = root.parent / "oracle.json"
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "oracle", part, *suite.args],
        cwd=root,
        env={**os.environ, **_surroundings(suite, root), "PARITY_ORACLE": str(found)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=NATIVE_LIMIT,
        check=False,
    )
    told = json.loads(found.read_bytes())
    found.unlink()
    cases = dict.fromkeys(told["collected"], "not_run")
    for identity, stage, outcome, expected in told["reports"]:
        cases[identity] = _worse(cases.get(identity, "not_run"), _case(stage, outcome, expected=expected))
    return ended.returncode, cases


def _case(stage: str, outcome: str, *, expected: bool) -> str:
    if outcome == "failed":
        return "failed" if stage == "call" else "error"
    if expected:
        return "xfailed" if outcome == "skipped" else "xpassed"
    return "skipped" if outcome == "skipped" else "passed"


def _worse(one: str, other: str) -> str:
    order = ["not_run", "passed", "skipped", "xpassed", "xfailed", "error", "failed"]
    return max(one, other, key=order.index)


def _surroundings(suite: Suite, root: Path) -> dict[str, str]:
    # Some make their ids from sets, whose order would be another one in every process.
    return {"PYTHONPATH": f"{root / suite.path}{os.pathsep}{HERE}", "PYTHONHASHSEED": "0"}


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES.keys())
def test_we_report_what_pytest_reports(tmp_path: Path, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)
    root = tmp_path / "suite"
    shutil.copytree(suite.source(), root)
    tests = {part: {"target": part, "args": list(suite.args)} for part in suite.parts}
    env = _surroundings(suite, root)
    run = Project(root).phases([{"name": "p", "tests": tests, "required": False}], env=env).run()
    native = {part: _native(suite, root, part) for part in suite.parts}
    ours = {
        part: (
            run.tests[f"p/{part}"]["attempts"][0]["exit_status"],
            {case["id"]: case["status"] for case in run.tests[f"p/{part}"]["cases"]},
        )
        for part in suite.parts
    }
    assert {case for _, cases in native.values() for case in cases.values()} >= {*suite.shows}
    for part, (exit_status, cases) in native.items():
        different = {
            name: (cases.get(name), ours[part][1].get(name))
            for name in {*cases, *ours[part][1]}
            if cases.get(name) != ours[part][1].get(name)
        }
        assert not different, f"{part}: native, ours"
        assert Counter(ours[part][1].values()) == Counter(cases.values())
        assert ours[part][0] == exit_status
        assert (run.tests[f"p/{part}"]["status"] == "passed") == (exit_status == 0)

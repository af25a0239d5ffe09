"""Misbehaving suites, run through the command line: what is reported of each is the truth."""

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from corpus.catalogue import Suite, differences, suites
from corpus.running import World, chromium, run
from support.kinds import needs_playwright
from support.project import processes

from e2e_orchestrator.model.outcomes import STATUS_OF, CaseStatus, Reason

pytestmark = pytest.mark.slow

RETRIES = 2
BIGGEST_READ = 256 << 20  # One suite leaves a file of a terabyte, which is one hole.
PYTEST, PLAYWRIGHT = suites("pytest"), suites("playwright")
# Tried three times by a single worker: those whose end depends on it, and some of every other kind.
RETRIED = [
    suite
    for suite in [*PYTEST, *PLAYWRIGHT]
    if not suite.hangs and ("retried" in suite.expect or suite.expect["reason"] in ("usage_error", "flaky"))
]


def _planned(folder: Path, chosen: Iterable[Suite]) -> dict[str, Any]:
    phases: dict[str, dict[str, Any]] = {}
    for suite in chosen:
        shutil.copytree(suite.folder, folder / suite.kind / suite.name)
        phase = phases.setdefault(
            suite.kind,
            {"name": suite.kind, "runner": suite.kind, "required": False, "timeout": 1000, "tests": {}},
        )
        phase["tests"][suite.name] = {
            "target": suite.target,
            "cwd": f"{suite.kind}/{suite.name}",
            "timeout": suite.expect.get("timeout", 60),
            "env": suite.expect.get("env", {}),
            "args": suite.expect.get("args", []),
        }
    return {
        "version": 1,
        "project": "corpus",
        "timeout": 1000,
        "retries": {"max": 0, "delay": 0},
        "runners": {
            "pytest": {"kind": "pytest", "python": sys.executable},
            "playwright": {"kind": "playwright"},
        },
        "phases": [*phases.values()],
    }


def _run(folder: Path, chosen: Iterable[Suite], *, retries: int, workers: int) -> World:
    return run(folder, _planned(folder, chosen), "--retries", str(retries), "--workers", str(workers))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every suite, tried once, four at a time."""
    needs_playwright()
    return _run(tmp_path_factory.mktemp("once"), [*PYTEST, *PLAYWRIGHT], retries=0, workers=4)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Some suites, tried three times, one after another."""
    needs_playwright()
    return _run(tmp_path_factory.mktemp("again"), RETRIED, retries=RETRIES, workers=1)


def _named(chosen: Iterable[Suite]) -> list[Any]:
    return [
        pytest.param(
            suite,
            id=f"{suite.kind} {suite.name.replace('_', ' ')}",
            marks=[pytest.mark.browser] if suite.expect.get("needs_browser") else [],
        )
        for suite in chosen
    ]


@pytest.mark.parametrize("suite", _named([*PYTEST, *PLAYWRIGHT]))
def test_tried_once_it_is_reported_as_it_is(once: World, suite: Suite) -> None:
    if suite.expect.get("needs_browser") and chromium() is None:
        pytest.skip("there is no Chromium: install one, or set CHROMIUM_PATH")
    assert not [*differences(once.tests[suite.place], suite.expected(retries=0))], suite.expect["why"]


@pytest.mark.parametrize("suite", _named(RETRIED))
def test_tried_again_it_is_reported_as_it_is(again: World, suite: Suite) -> None:
    assert not [*differences(again.tests[suite.place], suite.expected(retries=RETRIES))], suite.expect["why"]


@pytest.fixture(params=["once", "again"])
def world(request: pytest.FixtureRequest) -> World:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, World)
    return found


def _chosen(world: World) -> list[Suite]:
    return [suite for suite in [*PYTEST, *PLAYWRIGHT] if suite.place in world.tests]


def test_optional_phases_never_fail_the_run(world: World) -> None:
    assert world.exit_code in (0, 3), world.printed


def test_every_suite_ends_in_a_legal_state(world: World) -> None:
    legal = {("passed", None), *((str(status), str(reason)) for reason, status in STATUS_OF.items())}
    ends = {(test["status"], test["reason"]) for test in world.tests.values()}
    assert ends <= legal
    assert {case["status"] for test in world.tests.values() for case in test["cases"]} <= set(CaseStatus)
    assert str(Reason.BLOCKED) not in {reason for _, reason in ends}


def test_no_process_survives(world: World) -> None:
    words = {str(suite.expect["survivors"]) for suite in _chosen(world) if "survivors" in suite.expect}
    assert not [line for word in {str(world.folder), *words} for line in processes(word)]


def test_no_secret_is_in_any_file_or_line(world: World) -> None:
    secrets = {
        secret.encode()
        for suite in _chosen(world)
        for secret in suite.expect.get("must_not_appear", ())
        if suite.expect.get("env")
    }
    assert secrets
    texts = {"printed": "".join(world.printed).encode()}
    texts |= {
        str(path): path.read_bytes()
        for path in world.output.rglob("*")
        if path.is_file() and path.stat().st_size <= BIGGEST_READ
    }
    assert not [(where, secret) for where, text in texts.items() for secret in secrets if secret in text]


def test_nothing_that_a_child_says_becomes_a_line_of_the_run(world: World) -> None:
    starts = {start for suite in _chosen(world) for start in suite.expect.get("forbidden_line_starts", ())}
    lines = [line.lstrip() for text in world.printed for line in text.splitlines()]
    results = [line for line in lines if line.startswith("E2E_RESULT ")]
    assert not [line for line in lines[:-1] for start in starts if line.startswith(start)]
    assert [json.loads(line.removeprefix("E2E_RESULT "))["exit_code"] for line in results] == [
        world.exit_code
    ]
    assert not {"\x1b", "\x07", "\u202e"} & set("".join(world.printed))

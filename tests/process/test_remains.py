"""Ends what carries a dead run's mark and what descends from it, and nobody else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from e2e_orchestrator.process.remains import CAN_LOOK, MARKER, end_remains, remains_of

pytestmark = pytest.mark.skipif(not CAN_LOOK, reason="needs /proc")
SLEEP = "import signal, sys; print('up', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
# Starts a child that has lost the mark, as a daemon with a clean environment has.
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}], env={{}}).wait()"


@pytest.fixture
def started() -> Iterator[object]:
    with ExitStack() as stack:

        def start(code: str, mark: str | None) -> subprocess.Popen[bytes]:
            env = {name: value for name, value in os.environ.items() if name != MARKER}
            child = subprocess.Popen(
                [sys.executable, "-c", code],
                env={**env, **({MARKER: mark} if mark else {})},
                stdout=subprocess.PIPE,
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            assert child.stdout is not None
            assert child.stdout.readline() == b"up\n"
            return child

        yield start


def ended(run_id: str) -> set[int]:
    return {one.pid for one in end_remains(lambda: remains_of({run_id}))}


def test_only_the_marked_run_is_ended(started) -> None:
    mine, other, nobody = started(SLEEP, "dead-1"), started(SLEEP, "dead-12"), started(SLEEP, None)
    [found] = remains_of({"dead-1"})
    assert (found.pid, found.run_id) == (mine.pid, "dead-1")
    assert "signal.pause" in found.command
    assert ended("dead-1") == {mine.pid}
    assert mine.wait() == -15
    assert (other.poll(), nobody.poll()) == (None, None)


def test_a_descendant_without_the_mark_is_ended_too(started) -> None:
    parent = started(PARENT, "dead-2")
    found = remains_of({"dead-2"})
    assert len(found) == 2
    assert ended("dead-2") == {one.pid for one in found}
    assert parent.wait() == -15
    assert remains_of({"dead-2"}) == []


def test_who_does_not_go_when_asked_is_killed(started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("e2e_orchestrator.process.remains._GRACE_SECONDS", 0.1)
    child = started(STUBBORN, "dead-3")
    assert ended("dead-3") == {child.pid}
    assert child.wait() == -9


def test_whoever_calls_is_spared(started) -> None:
    look = (
        "import sys; from e2e_orchestrator.process.remains import remains_of;"
        "print(len(remains_of({'dead-4'})))"
    )
    env = {**os.environ, MARKER: "dead-4"}
    told = subprocess.run([sys.executable, "-c", look], env=env, capture_output=True, text=True, check=True)
    assert told.stdout == "0\n"


def test_no_run_leaves_nothing() -> None:
    assert remains_of(set()) == []

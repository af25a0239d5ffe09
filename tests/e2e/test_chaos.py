"""Random runs under random kills: no lost state, no process left, no false green, every journal readable."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.project import Project, processes, wait_until

from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.model.events import RunFinished
from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.process import tree

pytestmark = pytest.mark.slow

RUNS = 15
SEEDS = (1, 2, 3, 4)  # Times 15 runs; in groups, so that they can run side by side.
LONGEST_LIFE = 2.5
BUG = 70

FILES = {
    "test_good.py": """
        import pathlib, time
        def test_one(): pass
        def test_two(): pathlib.Path("done-good").touch()
    """,
    "test_bad.py": "def test_bad(): assert False\n",
    "work.sh": "sleep 0.3; touch done-$1\n",
    "leak.sh": "setsid -f sleep 300; sleep 0.2; touch done-leak\n",
    "stubborn.sh": "trap '' INT TERM; sleep 1; touch done-stubborn\n",
}
# Each of these tests leaves a mark only when it has really come to its end.
MARKED = {"a/work": "done-a", "a/leak": "done-leak", "b/stubborn": "done-stubborn", "c/good": "done-good"}


@dataclass(frozen=True, kw_only=True)
class Blow:
    """What is done to a run, and how long after its start; ``hits`` finds the processes."""

    name: str
    signum: signal.Signals | None
    after: float
    hits: Callable[[int], list[int]]


def _the_run(pid: int) -> list[int]:
    return [pid]


def _a_descendant(pid: int) -> list[int]:
    return tree.descendants_of(pid)[-1:]


def _the_keeper(pid: int) -> list[int]:
    return [one for one in tree.descendants_of(pid) if "keeper.py" in tree.command_line(one)][:1]


BLOWS = (
    ("nothing", None, _the_run),
    ("SIGINT", signal.SIGINT, _the_run),
    ("SIGTERM", signal.SIGTERM, _the_run),
    ("SIGKILL", signal.SIGKILL, _the_run),
    ("SIGKILL to a child", signal.SIGKILL, _a_descendant),
    ("SIGTERM to a child", signal.SIGTERM, _a_descendant),
    ("SIGKILL to the keeper", signal.SIGKILL, _the_keeper),
)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_runs_under_random_kills(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    table: Counter[tuple[str, str]] = Counter()
    for number in range(RUNS):
        name, signum, hits = chance.choice(BLOWS)
        blow = Blow(name=name, signum=signum, after=chance.uniform(0.05, LONGEST_LIFE), hits=hits)
        ending = _one_run(tmp_path / f"run-{number}", blow, optional_bad=chance.random() < 0.7)
        table[blow.name, ending] += 1
    rows = [f"  {name:24} {ending:28} {count:3}" for (name, ending), count in sorted(table.items())]
    with capsys.disabled():
        sys.stderr.write("\n".join([f"\n{RUNS} random runs, seed {seed}", *rows, ""]))


def _one_run(root: Path, blow: Blow, *, optional_bad: bool) -> str:
    """Starts a run, strikes, and holds everything against the truth; returns how it ended, in a word."""
    root.mkdir()
    project = Project(root, env={"E2E_TEST_MARKER": str(root)}).write(FILES)
    pytest_runner = {"kind": "pytest", "python": sys.executable}
    project.phases(
        [
            {"name": "a", "tests": {"work": "sh work.sh a", "leak": "sh leak.sh"}},
            {"name": "b", "tests": {"stubborn": "sh stubborn.sh"}},
            {"name": "c", "runner": "py", "tests": {"good": "test_good.py"}},
            {"name": "d", "runner": "py", "required": not optional_bad, "tests": {"bad": "test_bad.py"}},
        ],
        kind="command",
    )
    _add_runner(root, pytest_runner)
    process = project.start()
    _strike(process, blow)
    run = project.finish(process)
    killed = run.exit_code == -signal.SIGKILL
    wait_until(lambda: not processes(str(root)), what=f"the end of every process after {blow.name}")
    journals = list(root.glob("test-results/runs/*/journal.jsonl"))
    if not journals:
        assert killed or blow.signum, "a run that was left alone always has a journal"
        return "nothing was started"
    state = _state(journals[0])
    finished = isinstance(state.finished, RunFinished)
    assert finished or killed, f"no end in the journal after {blow.name}: {run.stderr}"
    assert run.exit_code != BUG, run.stderr
    _hold_against_the_truth(root, state, exit_code=run.exit_code)
    if finished:
        assert all(test.verdict.status not in (Status.PENDING, Status.RUNNING) for test in state.tests)
        assert run.results["exit_code"] == run.exit_code == run.last_line["exit_code"]
    return "killed, journal readable" if killed else f"exit code {run.exit_code}"


def _add_runner(root: Path, runner: dict[str, str]) -> None:
    path = root / "phases.yaml"
    text = path.read_text().replace(
        '"runners": {', f'"runners": {{ "py": {str(runner).replace(chr(39), chr(34))},', 1
    )
    path.write_text(text)


def _strike(process: subprocess.Popen[str], blow: Blow) -> None:
    until = time.monotonic() + blow.after
    wait_until(lambda: time.monotonic() > until or process.poll() is not None, what="the moment of the blow")
    if blow.signum is None or process.poll() is not None:
        return
    for pid in blow.hits(process.pid):
        try:
            os.kill(pid, blow.signum)
        except ProcessLookupError:
            continue


def _state(journal: Path) -> RunState:
    state = RunState()
    for envelope in JournalReader(journal):
        state.apply(envelope)
    return state


def _hold_against_the_truth(root: Path, state: RunState, *, exit_code: int) -> None:
    """Nothing is green that did not come to its end, and the bad test never is."""
    for test in state.tests:
        mark = MARKED.get(test.test.id)
        if test.verdict.status is Status.PASSED:
            assert test.test.id != "d/bad"
            assert mark is None or (root / mark).exists(), f"{test.test.id} is green and never ended"
    if exit_code == 0:
        assert all((root / mark).exists() for mark in MARKED.values())

"""What runs teach about durations: the time that the attempts of their green tests took."""

from pathlib import Path

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.journal.digest import has_finished
from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.journal.runs import Run, runs_below
from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import RunState, TestState, fold
from e2e_orchestrator.planning.durations import RECENT, Durations, Key

_LARGEST_JOURNAL = 32 << 20


def learn(run: RunState) -> Durations:
    """What a run teaches: the time that the attempts of each test took that passed in it.

    A flaky test takes all of its attempts; what an earlier run supplied was learned there.
    """
    green = (state for state in run.tests if state.verdict.status is Status.PASSED)
    own = (state for state in green if state.attempts and state.carried_from is None)
    return Durations({_key(state): (_took(state),) for state in own})


def from_journals(output: Path) -> Durations:
    """From the newest runs below the folder that finished."""
    known = Durations()
    for run in reversed(runs_below(output)[:RECENT]):
        known = known.merged(_learned_in(run))
    return known


def _learned_in(run: Run) -> Durations:
    try:
        if run.journal.stat().st_size > _LARGEST_JOURNAL or not has_finished(run):
            return Durations()
        return learn(fold(JournalReader(run.journal)))
    except (OSError, UsageError, LookupError, StopIteration):
        return Durations()  # Whoever asks about that run is told what is wrong with it.


def _key(state: TestState) -> Key:
    test = state.test
    return Key(id=test.id, kind=test.kind, target=test.target)


def _took(state: TestState) -> float:
    return round(sum(attempt.duration for attempt in state.attempts), 3)

"""A named state for everything that a run left open when it ended without saying so."""

from dataclasses import dataclass

from e2e_orchestrator.model.closing import OPEN, closed
from e2e_orchestrator.model.outcomes import Reason, Status
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A status with its reason and the seconds it took."""

    status: Status
    reason: Reason | None
    duration: float
    message: str | None = None


def end_of_test(test: TestState, *, run: RunState) -> Ending:
    """How a test ended; one that ran is ``interrupted``, one that waited ``cancelled``."""
    verdict, duration = closed(test), test.duration
    if test.verdict.status in OPEN:
        duration = 0.0 if test.started is None else max(run.mono - test.started, 0.0)
    return Ending(status=verdict.status, reason=verdict.reason, duration=duration, message=verdict.message)


def end_of_phase(phase: PhaseState, *, run: RunState) -> Ending:
    """How a phase ended; one that was cut short never counts as passed."""
    if phase.status not in OPEN:
        return Ending(status=phase.status, reason=phase.reason, duration=phase.duration)
    duration = 0.0 if phase.started is None else max(run.mono - phase.started, 0.0)
    statuses = {test.verdict.status for test in phase.tests}
    if phase.status is Status.PENDING:
        return Ending(status=Status.SKIPPED, reason=Reason.CANCELLED, duration=duration)
    if statuses.intersection(OPEN) or not statuses:
        return Ending(status=Status.FAILED, reason=Reason.INTERRUPTED, duration=duration)
    if Status.FAILED in statuses:
        return Ending(status=Status.FAILED, reason=Reason.TEST_FAILURES, duration=duration)
    status = Status.PASSED if Status.PASSED in statuses else Status.SKIPPED
    return Ending(status=status, reason=None, duration=duration)

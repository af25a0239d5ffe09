"""A verdict for a test that a run left open when it ended without saying so."""

from e2e_orchestrator.model.outcomes import Reason, Status, Verdict, because
from e2e_orchestrator.model.summary import TestState

OPEN = (Status.PENDING, Status.RUNNING)


def closed(test: TestState) -> Verdict:
    """The test's own verdict; without one it is ``interrupted`` if it ran, ``cancelled`` if it waited."""
    match test.verdict.status:
        case Status.RUNNING:
            where = f", in case {test.case}" if test.case else ""
            return because(Reason.INTERRUPTED, f"was running when the run ended{where}")
        case Status.PENDING:
            return because(Reason.CANCELLED, "the run ended before its turn")
        case Status.PASSED | Status.FAILED | Status.SKIPPED:
            return test.verdict

"""Rules over the finished run: each says what it found, whether it holds, and can turn go into no go."""

from collections.abc import Iterator

from e2e_orchestrator.model.events import GateEvaluated
from e2e_orchestrator.model.plan import FlakyPolicy
from e2e_orchestrator.model.summary import RunState

_NAMED = 5


def evaluate(state: RunState) -> Iterator[GateEvaluated]:
    """The gates that the plan asks for, in a fixed order."""
    yield from _flaky(state)


def _flaky(state: RunState) -> Iterator[GateEvaluated]:
    """``flaky: fail``: no test of a required phase may need a second try."""
    strict = [
        test
        for phase in state.phases
        if phase.required
        for test in phase.tests
        if test.test.flaky is FlakyPolicy.FAIL
    ]
    if not strict:
        return
    found = [test.test.id for test in strict if test.verdict.flaky]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    message = f"flaky: {', '.join(found[:_NAMED])}{more}" if found else "no test needed a second try"
    yield GateEvaluated(gate="flaky", holds=not found, message=message)

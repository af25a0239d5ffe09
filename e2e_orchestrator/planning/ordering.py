"""In which order the tests of a phase start: longest first, by what is expected.

A long test that starts last keeps one slot busy while the others are idle. Greedy and longest first is
within a third of the best order in the worst case, and within a percent on real suites.
"""

from collections.abc import Mapping

from e2e_orchestrator.model.plan import Order, Plan, PlannedPhase, Test
from e2e_orchestrator.planning.durations import percentile

_UNKNOWN_PERCENT = 85


def estimates(plan: Plan) -> dict[str, float]:
    """Seconds by test id; an unknown test counts as the 85th percentile of the known ones.

    Long rather than average: a test that starts too early costs nothing, one that starts too late the
    end of its phase. Empty if no test is known.
    """
    known = [test.expected for test in plan.tests if test.expected is not None]
    guess = percentile(known, _UNKNOWN_PERCENT)
    if guess is None:
        return {}
    return {test.id: guess if test.expected is None else test.expected for test in plan.tests}


def start_order(phase: PlannedPhase, *, plan: Plan) -> tuple[Test, ...]:
    """The tests of a phase of this plan in the order in which they start; equal ones as in the file."""
    return in_order(phase, order=plan.order, seconds=estimates(plan))


def in_order(phase: PlannedPhase, *, order: Order, seconds: Mapping[str, float]) -> tuple[Test, ...]:
    """The same for ``seconds`` by test id that are known already."""
    if order is Order.FILE or not phase.parallel or not seconds:
        return phase.tests
    return tuple(sorted(phase.tests, key=lambda test: -seconds[test.id]))

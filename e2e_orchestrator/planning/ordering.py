"""In which order the tests of a phase start, and how long that will take: longest first, by what is expected.

A long test that starts last keeps one slot busy while the others are idle. Greedy and longest first is
within a third of the best order in the worst case, and within a percent on real suites.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from e2e_orchestrator.model.plan import Order, Plan, PlannedPhase, Test
from e2e_orchestrator.planning.durations import percentile

_UNKNOWN_PERCENT = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class Makespan:
    """Seconds that the tests take, one phase after the other.

    ``lower_bound`` is what no order can beat: in each phase the longest test, or all of them evenly on
    every slot. ``unknown`` counts tests whose duration was guessed.
    """

    expected: float
    lower_bound: float
    unknown: int


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
    return _ordered(phase, order=plan.order, seconds=estimates(plan))


def expected_makespan(plan: Plan) -> Makespan | None:
    """What to expect of the tests, without services, retries and pauses; None if no test is known."""
    seconds = estimates(plan)
    if not seconds:
        return None
    expected = lower_bound = 0.0
    for phase in plan.phases:
        took = [seconds[test.id] for test in _ordered(phase, order=plan.order, seconds=seconds)]
        slots = plan.workers if phase.parallel else 1
        expected += makespan(took, slots=slots)
        lower_bound += shortest_makespan(took, slots=slots)
    unknown = sum(test.expected is None for test in plan.tests)
    return Makespan(expected=expected, lower_bound=lower_bound, unknown=unknown)


def makespan(seconds: Sequence[float], *, slots: int) -> float:
    """When the last one ends, if each starts in the slot that is free first."""
    free = [0.0] * slots
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def shortest_makespan(seconds: Sequence[float], *, slots: int) -> float:
    """No order ends sooner."""
    return max([*seconds, sum(seconds) / slots], default=0.0)


def _ordered(phase: PlannedPhase, *, order: Order, seconds: Mapping[str, float]) -> tuple[Test, ...]:
    if order is Order.FILE or not phase.parallel or not seconds:
        return phase.tests
    return tuple(sorted(phase.tests, key=lambda test: -seconds[test.id]))

"""How long a plan will take, what no order can beat, and what is urgent where phases overlap."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from e2e_orchestrator.model.plan import Plan, PlannedPhase
from e2e_orchestrator.planning.needs import before_each, chains_after
from e2e_orchestrator.planning.ordering import estimates, in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Makespan:
    """Seconds that the tests take, from the start of the first phase to the end of the last.

    ``lower_bound`` is what no order can beat: the longest chain of phases of which each waits for the one
    before, or all tests evenly on every slot. A phase itself takes at least its longest test, or all of
    its tests evenly on every slot. ``unknown`` counts tests whose duration was guessed.
    """

    expected: float
    lower_bound: float
    unknown: int


def expected_makespan(plan: Plan) -> Makespan | None:
    """What to expect of the tests, without services, retries and pauses; None if no test is known."""
    seconds = estimates(plan)
    if not seconds:
        return None
    took = _in_order(plan, seconds)
    return Makespan(
        expected=_Simulation(plan, took).run(),
        lower_bound=lower_bound(plan, took),
        unknown=sum(test.expected is None for test in plan.tests),
    )


def lower_bound(plan: Plan, seconds: Mapping[str, Sequence[float]]) -> float:
    """No order ends sooner; ``seconds`` are those of the tests, by phase."""
    least = _bounds(plan, seconds)
    after = chains_after(before_each(plan.phases), least)
    longest_chain = max((least[name] + after[name] for name in least), default=0.0)
    return max(longest_chain, sum(map(sum, seconds.values())) / plan.workers)


def urgencies(plan: Plan) -> dict[str, tuple[float, ...]]:
    """By phase, how urgent its next start is once none, one, two … of its tests have started.

    That is the time from that start to the end of the run if nothing had to wait for a slot: the test itself
    (in a sequential phase all that are left), then the longest chain of phases after it.
    """
    seconds = estimates(plan) or dict.fromkeys((test.id for test in plan.tests), 1.0)
    return dict(_urgencies(plan, _in_order(plan, seconds)))


def makespan(seconds: Sequence[float], *, slots: int) -> float:
    """When the last one ends, if each starts in the slot that is free first."""
    free = [0.0] * slots
    for one in seconds:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def shortest_makespan(seconds: Sequence[float], *, slots: int) -> float:
    """No order ends sooner."""
    return max([*seconds, sum(seconds) / slots], default=0.0)


def _in_order(plan: Plan, seconds: Mapping[str, float]) -> dict[str, list[float]]:
    return {
        phase.name: [seconds[test.id] for test in in_order(phase, order=plan.order, seconds=seconds)]
        for phase in plan.phases
    }


def _bounds(plan: Plan, seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {
        phase.name: shortest_makespan(seconds[phase.name], slots=plan.workers if phase.parallel else 1)
        for phase in plan.phases
    }


def _urgencies(plan: Plan, seconds: Mapping[str, Sequence[float]]) -> Iterator[tuple[str, tuple[float, ...]]]:
    after = chains_after(before_each(plan.phases), _bounds(plan, seconds))
    for phase in plan.phases:
        took = seconds[phase.name]
        left = took if phase.parallel else list(accumulate(reversed(took)))[::-1]
        yield phase.name, tuple(one + after[phase.name] for one in (*left, 0.0))


class _Simulation:
    """What the engine does with a plan whose tests take exactly so long."""

    def __init__(self, plan: Plan, seconds: Mapping[str, Sequence[float]]) -> None:
        self._seconds, self._free = seconds, plan.workers
        self._before = before_each(plan.phases)
        self._urgencies = dict(_urgencies(plan, seconds))
        self._waiting = list(plan.phases)
        self._active: list[PlannedPhase] = []
        self._started = dict.fromkeys(seconds, 0)
        self._running = dict.fromkeys(seconds, 0)
        self._ends: list[tuple[float, int, PlannedPhase]] = []
        self._starts = 0
        self._now = 0.0

    def run(self) -> float:
        self._start_phases()
        self._start_tests()
        while self._ends:
            self._now, _, phase = heapq.heappop(self._ends)
            self._free += 1
            self._running[phase.name] -= 1
            if self._over(phase.name):
                self._start_phases()
            self._start_tests()
        return self._now

    def _start_phases(self) -> None:
        self._active = [phase for phase in self._active if not self._over(phase.name)]
        open_ = {phase.name for phase in (*self._waiting, *self._active)}
        ready = [phase for phase in self._waiting if open_.isdisjoint(self._before[phase.name])]
        self._waiting = [phase for phase in self._waiting if phase not in ready]
        self._active += ready
        if any(self._over(phase.name) for phase in ready):  # Phases without tests.
            self._start_phases()

    def _over(self, name: str) -> bool:
        return not self._running[name] and self._started[name] == len(self._seconds[name])

    def _start_tests(self) -> None:
        while self._free and (may := [phase for phase in self._active if self._may_start(phase)]):
            phase = max(may, key=lambda one: self._urgencies[one.name][self._started[one.name]])
            took = self._seconds[phase.name][self._started[phase.name]]
            self._started[phase.name] += 1
            self._running[phase.name] += 1
            self._free -= 1
            self._starts += 1
            heapq.heappush(self._ends, (self._now + took, self._starts, phase))

    def _may_start(self, phase: PlannedPhase) -> bool:
        left = self._started[phase.name] < len(self._seconds[phase.name])
        return left and (phase.parallel or not self._running[phase.name])

"""Which phases may start now? Synchronous: the engine asks, starts, and tells what ended."""

from e2e_orchestrator.model.plan import Plan, PlannedPhase
from e2e_orchestrator.planning.needs import before_each


class WaitingPhases:
    """The phases that have not started, in the order of the file."""

    def __init__(self, plan: Plan) -> None:
        self._waiting = list(plan.phases)
        self._before = before_each(plan.phases)
        self._unfinished = {phase.name for phase in plan.phases}

    def take(self) -> list[PlannedPhase]:
        """Those whose needs are finished; they wait no longer."""
        ready = [phase for phase in self._waiting if self._unfinished.isdisjoint(self._before[phase.name])]
        self._waiting = [phase for phase in self._waiting if phase not in ready]
        return ready

    def finish(self, phase: PlannedPhase) -> None:
        self._unfinished.discard(phase.name)

    def give_up(self) -> list[PlannedPhase]:
        """All that are left; they never start."""
        rest, self._waiting = self._waiting, []
        return rest

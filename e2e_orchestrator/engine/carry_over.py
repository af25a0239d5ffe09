"""The events of a rerun: what it carries over first, then phases judged with that included."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from e2e_orchestrator.engine.verdict import judge_phase
from e2e_orchestrator.model.events import Event, PhaseFinished, TestCarriedOver, Warned
from e2e_orchestrator.model.outcomes import Reason, Status
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.model.summary import RunState

Publish = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOver:
    """Stands between the engine, which only knows the tests that run now, and the bus.

    ``state`` is the bus' own. An earlier run's failure counts in the verdict of its phase, but blocks
    nothing: whoever left it out of this run wants to see the rest.
    """

    state: RunState
    publish: Publish

    async def announce(
        self, carried: Sequence[TestCarriedOver], *, remaining: Plan, warnings: Sequence[str]
    ) -> None:
        """To be published after RunStarted; ends the phases of which nothing runs."""
        for warning in warnings:
            await self.publish(Warned(message=warning))
        for one in carried:
            await self.publish(one)
        running = {phase.name for phase in remaining.phases}
        for phase in self.state.phases:
            if phase.name not in running:
                status, reason = judge_phase(phase.tests)
                await self.publish(
                    PhaseFinished(phase=phase.name, status=status, reason=reason, duration=0.0)
                )

    async def forward(self, event: Event) -> None:
        """For the engine to publish with."""
        if isinstance(event, PhaseFinished):
            status, reason = judge_phase(self.state.phase(event.phase).tests)
            # A phase that never started does not pass by what it carries over.
            if event.reason is not Reason.BLOCKED or status is Status.FAILED:
                event = replace(event, status=status, reason=reason)
        await self.publish(event)

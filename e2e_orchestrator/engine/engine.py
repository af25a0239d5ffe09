"""Runs a plan: phases when their needs are met, tests on slots, retries, limits, and an end for every planned test."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from e2e_orchestrator.engine.phase_run import Means, PhaseRun, Shared
from e2e_orchestrator.engine.retry import RunRetries
from e2e_orchestrator.engine.slots import Slots
from e2e_orchestrator.engine.waiting import WaitingPhases
from e2e_orchestrator.model.command import Deadline, Limit
from e2e_orchestrator.model.events import (
    PhaseFinished,
    TestFinished,
)
from e2e_orchestrator.model.outcomes import Reason, Status, Verdict, because
from e2e_orchestrator.model.plan import Plan, PlannedPhase
from e2e_orchestrator.planning.makespan import urgencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine(Means):
    """Decides and tells; the executor does."""

    async def run(self, plan: Plan) -> None:
        """Publishes everything from the first phase to the last; RunStarted and RunFinished are the session's."""
        until = self.clock.monotonic() + plan.timeout
        limit = Deadline(at=until, limit=Limit.RUN, seconds=plan.timeout)
        shared = Shared(
            retries=RunRetries(plan.retry_limits), limit=plan.max_failures, slots=Slots(plan.workers)
        )
        urgent, waiting = urgencies(plan), WaitingPhases(plan)
        running: dict[asyncio.Task[Status], PlannedPhase] = {}
        blocked_by: str | None = None
        try:
            while True:
                if why := self._reason_to_skip(blocked_by, shared):
                    for phase in waiting.give_up():
                        await self._skip_phase(phase, why)
                for phase in waiting.take():
                    one = self._run_phase(
                        phase, plan=plan, run_limit=limit, shared=shared, urgencies=urgent[phase.name]
                    )
                    shared.opening += 1
                    running[asyncio.create_task(one)] = phase
                shared.start_what_may()
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    phase = running.pop(task)
                    waiting.finish(phase)
                    if task.result() is Status.FAILED and phase.required:
                        blocked_by = blocked_by or phase.name
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _run_phase(
        self,
        phase: PlannedPhase,
        *,
        plan: Plan,
        run_limit: Deadline,
        shared: Shared,
        urgencies: Sequence[float],
    ) -> Status:
        """Nobody else starts anything until the phase is open, unless it has to wait for something first."""
        waits = self.surroundings.phase_waits(phase.name)
        if why := _unwanted(phase):
            shared.opening -= 1
            await self._skip_phase(phase, why)
            return Status.SKIPPED
        shared.opening -= waits
        async with self.surroundings.phase(phase.name) as trouble:
            if trouble:
                shared.opening -= not waits
                await self._skip_phase(phase, because(Reason.BLOCKED, trouble))
                return Status.FAILED
            shared.opening += waits
            return await PhaseRun(
                self, phase, plan=plan, run_limit=run_limit, shared=shared, urgencies=urgencies
            ).run()

    def _reason_to_skip(self, blocked_by: str | None, shared: Shared) -> Verdict | None:
        if self.cancellation.why:
            return because(Reason.CANCELLED, f"the run was cancelled ({self.cancellation.why})")
        if shared.too_many:
            return because(Reason.CANCELLED, shared.too_many)
        if broken := self.surroundings.broken:
            return because(Reason.BLOCKED, broken)
        if blocked_by:
            return because(Reason.BLOCKED, f"required phase {blocked_by!r} failed")
        return None

    async def skip(self, plan: Plan, why: Verdict) -> None:
        """Ends every planned test without starting any."""
        for phase in plan.phases:
            await self._skip_phase(phase, why)

    async def _skip_phase(self, phase: PlannedPhase, why: Verdict) -> None:
        for test in phase.tests:
            await self.publish(TestFinished(test=test.id, verdict=why, duration=0.0, attempts=0))
        await self.publish(
            PhaseFinished(phase=phase.name, status=Status.SKIPPED, reason=why.reason, duration=0.0)
        )


def _unwanted(phase: PlannedPhase) -> Verdict | None:
    """Why nothing of the phase is to run; None as long as one of its tests is."""
    failing = [test.condition for test in phase.tests if test.condition]
    return because(Reason.CONDITION, failing[0]) if failing and len(failing) == len(phase.tests) else None

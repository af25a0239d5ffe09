"""Runs a plan: phases in order, tests on slots, retries, limits, and an end for every planned test."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.engine.retry import RunRetries, cases_to_retry, conclude, delay_before, wants_retry
from e2e_orchestrator.engine.scheduler import PhaseScheduler, Start
from e2e_orchestrator.engine.verdict import judge_phase
from e2e_orchestrator.model.command import AttemptSpec, Deadline, Limit
from e2e_orchestrator.model.events import (
    AttemptFinished,
    AttemptStarted,
    CancelRequested,
    Event,
    PhaseFinished,
    PhaseStarted,
    RetryScheduled,
    TestFinished,
    Warned,
)
from e2e_orchestrator.model.names import file_name
from e2e_orchestrator.model.outcomes import Attempt, Reason, Status, Verdict, because
from e2e_orchestrator.model.plan import MaxFailures, Plan, PlannedPhase, Test
from e2e_orchestrator.model.summary import TestState
from e2e_orchestrator.planning.ordering import start_order
from e2e_orchestrator.protocols import Executor

# What else lies in a run's folder: a phase of that name must not be in its way.
_OWN = frozenset({"services", "replay", "journal.jsonl", "keeper.log", "closing.log", "e2e-results.json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run writes: the output folder, and this run's own folder below it."""

    run_id: str
    output: Path
    folder: Path

    def attempt(self, test: Test, number: int) -> Path:
        phase = file_name(test.phase)
        if phase in _OWN or phase.startswith("."):
            phase = f"phase-{phase}"
        return self.folder / phase / file_name(test.name) / f"attempt-{number}"


@dataclass(slots=True)
class _Ongoing:
    """The attempts of a test that has no verdict yet."""

    started: float
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Decides and tells; the executor does."""

    executor: Executor
    publish: Callable[[Event], Awaitable[None]]
    cancellation: CancelToken
    place: Place
    clock: Clock = field(default_factory=Clock)
    uniform: Callable[[float, float], float] = random.uniform

    async def run(self, plan: Plan) -> None:
        """Publishes everything from the first phase to the last; RunStarted and RunFinished are the session's."""
        until = self.clock.monotonic() + plan.timeout
        limit = Deadline(at=until, limit=Limit.RUN, seconds=plan.timeout)
        shared = _Shared(retries=RunRetries(plan.retry_limits), limit=plan.max_failures)
        blocked_by: str | None = None
        for phase in plan.phases:
            why = self._reason_to_skip(blocked_by, shared) or _unwanted(phase)
            if why:
                await self._skip_phase(phase, why)
                continue
            status = await _PhaseRun(self, phase, plan=plan, run_limit=limit, shared=shared).run()
            if status is Status.FAILED and phase.required:
                blocked_by = phase.name

    def _reason_to_skip(self, blocked_by: str | None, shared: "_Shared") -> Verdict | None:
        if self.cancellation.why:
            return because(Reason.CANCELLED, f"the run was cancelled ({self.cancellation.why})")
        if shared.too_many:
            return because(Reason.CANCELLED, shared.too_many)
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


@dataclass(slots=True, kw_only=True)
class _Shared:
    """What the phases of a run have in common: its retries, and how many failures it bears."""

    retries: RunRetries
    limit: MaxFailures | None
    failures: int = 0
    too_many: str = ""

    def count_failure(self) -> bool:
        """True if the tests that still run are to be ended because of this one."""
        self.failures += 1
        if self.limit is None or self.failures < self.limit.count:
            return False
        first = not self.too_many
        self.too_many = f"{self.limit.count} failed: the limit of --max-failures"
        return first and self.limit.immediate


class _PhaseRun:
    """One phase, from its first test to its verdict."""

    def __init__(
        self, engine: Engine, phase: PlannedPhase, *, plan: Plan, run_limit: Deadline, shared: _Shared
    ) -> None:
        self._engine, self._phase = engine, phase
        self._clock, self._publish, self._cancellation = engine.clock, engine.publish, engine.cancellation
        self._slots = plan.workers
        tests = [test for test in start_order(phase, plan=plan) if not test.condition]
        self._shared = shared
        self._scheduler = PhaseScheduler(tests, slots=plan.workers, parallel=phase.parallel)
        self._ongoing: dict[str, _Ongoing] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._changed = asyncio.Event()
        self._started = self._clock.monotonic()
        phase_limit = Deadline(at=self._started + phase.timeout, limit=Limit.PHASE, seconds=phase.timeout)
        self._limit = min(run_limit, phase_limit, key=lambda deadline: deadline.at)

    async def run(self) -> Status:
        await self._publish(PhaseStarted(phase=self._phase.name))
        await self._skip_unwanted()
        over = asyncio.create_task(self._watch_for_the_end())
        try:
            async with asyncio.TaskGroup() as attempts:
                await self._dispatch(attempts)
        finally:
            over.cancel()
        states = [TestState(test=test, verdict=self._verdicts[test.id]) for test in self._phase.tests]
        status, reason = judge_phase(states)
        duration = self._clock.monotonic() - self._started
        await self._publish(
            PhaseFinished(phase=self._phase.name, status=status, reason=reason, duration=duration)
        )
        return status

    async def _skip_unwanted(self) -> None:
        for test in self._phase.tests:
            if test.condition:
                why = self._verdicts[test.id] = because(Reason.CONDITION, test.condition)
                await self._publish(TestFinished(test=test.id, verdict=why, duration=0.0, attempts=0))

    async def _dispatch(self, attempts: asyncio.TaskGroup) -> None:
        """Starts whatever may start until nothing is left; everything else happens in the attempts' tasks."""
        while True:
            self._changed.clear()
            if why := self._reason_to_stop():
                await self._give_up(why)
            while start := self._scheduler.take():
                attempts.create_task(self._attempt(start))
            if self._scheduler.over:
                return
            await self._changed.wait()

    async def _watch_for_the_end(self) -> None:
        """Wakes the dispatcher when the run is cancelled or out of time, whatever the attempts do."""
        cancelled = asyncio.ensure_future(self._cancellation.wait())
        left = asyncio.ensure_future(self._clock.sleep(max(0.0, self._limit.at - self._clock.monotonic())))
        try:
            await asyncio.wait({cancelled, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            cancelled.cancel()
            left.cancel()
        self._changed.set()

    def _reason_to_stop(self) -> Verdict | None:
        if why := self._cancellation.why:
            return because(Reason.CANCELLED, f"the run was cancelled ({why})")
        if self._clock.monotonic() >= self._limit.at:
            limit = self._limit
            return because(Reason.CANCELLED, f"the {limit.limit}'s limit of {limit.seconds:g} s was reached")
        if self._shared.too_many:
            return because(Reason.CANCELLED, self._shared.too_many)
        if not self._phase.parallel:
            failed = next((name for name, verdict in self._verdicts.items() if verdict.failed), None)
            if failed:
                return because(Reason.BLOCKED, f"{failed!r} failed, and the phase runs in order")
        return None

    async def _give_up(self, why: Verdict) -> None:
        for test in self._scheduler.stop():
            self._verdicts[test.id] = why
            self._scheduler.settle(test)
            await self._publish(TestFinished(test=test.id, verdict=why, duration=0.0, attempts=0))
        for test in self._scheduler.give_up_retries():
            await self._settle(test, self._ongoing[test.id])

    async def _attempt(self, start: Start) -> None:
        """One attempt and what follows from it: another one after a pause, or the test's verdict."""
        test = start.test
        ongoing = self._ongoing.setdefault(test.id, _Ongoing(started=self._clock.monotonic()))
        attempt = await self._execute(test, ongoing, slot=start.slot)
        ongoing.attempts.append(attempt)
        await self._publish(AttemptFinished(test=test.id, attempt=attempt))
        delay = await self._schedule_retry(test, ongoing.attempts)
        if delay == 0:
            self._scheduler.retry(test)  # Before the slot is free, so that nobody comes between.
        elif delay is not None:
            self._scheduler.pause(test)
        self._scheduler.release(start.slot)
        self._changed.set()
        if delay is None or (delay and not await self._pause(delay)):
            await self._settle(test, ongoing)
        elif delay:
            self._scheduler.retry(test)
        self._changed.set()

    async def _schedule_retry(self, test: Test, attempts: Sequence[Attempt]) -> float | None:
        """Seconds until the next attempt; None if there is none, or no time for it."""
        attempt = attempts[-1]
        if not wants_retry(attempts, test.retries) or not await self._may_retry(test):
            return None
        delay = delay_before(attempt.number, test.retries, uniform=self._engine.uniform)
        if self._cancellation.why or self._clock.monotonic() + delay >= self._limit.at:
            return None
        await self._publish(
            RetryScheduled(
                test=test.id,
                number=attempt.number + 1,
                delay=delay,
                why=str(attempt.verdict.reason),
                only=cases_to_retry(attempt),
            )
        )
        return delay

    async def _may_retry(self, test: Test) -> bool:
        """The limits of the run; the first refusal of each kind is said."""
        retries = self._shared.retries
        retries.failed(test.id)
        refusal = retries.refusal()
        if refusal is None:
            retries.spent += 1
        elif refusal not in retries.said:
            retries.said.add(refusal)
            await self._publish(Warned(message=f"no more retries: {refusal}"))
        return refusal is None

    async def _execute(self, test: Test, ongoing: _Ongoing, *, slot: int) -> Attempt:
        place = self._engine.place
        number = len(ongoing.attempts) + 1
        folder = place.attempt(test, number)
        spec = AttemptSpec(
            number=number,
            max_attempts=test.retries.max + 1,
            run_id=place.run_id,
            slot=slot,
            slot_count=self._slots,
            folder=folder,
            output_root=place.output,
            only=cases_to_retry(ongoing.attempts[-1]) if ongoing.attempts else (),
            previous=place.attempt(test, number - 1) if ongoing.attempts else None,
        )
        await self._publish(
            AttemptStarted(
                test=test.id,
                number=number,
                max_attempts=spec.max_attempts,
                slot=slot,
                output=(folder.relative_to(place.output) / "output.log").as_posix(),
            )
        )
        return await self._engine.executor.attempt(
            test,
            spec,
            deadline=self._deadline(test),
            cancellation=self._cancellation,
            emit=self._publish,
        )

    def _deadline(self, test: Test) -> Deadline:
        if test.timeout is None:
            return self._limit
        at = self._clock.monotonic() + test.timeout
        own = Deadline(at=at, limit=Limit.TEST, seconds=test.timeout)
        return min(own, self._limit, key=lambda deadline: deadline.at)

    async def _pause(self, seconds: float) -> bool:
        """Waits before a retry; false if the run was cancelled meanwhile."""
        pause = asyncio.ensure_future(self._clock.sleep(seconds))
        cancelled = asyncio.ensure_future(self._cancellation.wait())
        try:
            await asyncio.wait({pause, cancelled}, return_when=asyncio.FIRST_COMPLETED)
            return not cancelled.done()
        finally:
            pause.cancel()
            cancelled.cancel()

    async def _settle(self, test: Test, ongoing: _Ongoing) -> None:
        verdict = conclude(ongoing.attempts)
        self._verdicts[test.id] = verdict
        self._scheduler.settle(test)
        await self._publish(
            TestFinished(
                test=test.id,
                verdict=verdict,
                duration=self._clock.monotonic() - ongoing.started,
                attempts=len(ongoing.attempts),
            )
        )
        if verdict.failed and self._shared.count_failure():
            self._cancellation.request(self._shared.too_many)
            await self._publish(CancelRequested(why=self._shared.too_many))

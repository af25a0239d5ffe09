"""One phase of a run: its attempts, what follows from them, and its verdict."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.engine.packs import PackCarrier, attempt_started, pack_again
from e2e_orchestrator.engine.retry import RunRetries, cases_to_retry, conclude, delay_before, wants_retry
from e2e_orchestrator.engine.scheduler import PackStart, PhaseScheduler, Start
from e2e_orchestrator.engine.slots import Slots
from e2e_orchestrator.engine.surroundings import NoSurroundings
from e2e_orchestrator.engine.verdict import judge_phase
from e2e_orchestrator.model.command import AttemptSpec, Deadline, Limit
from e2e_orchestrator.model.events import (
    AttemptFinished,
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
from e2e_orchestrator.protocols import Executor, Surroundings

# Which folders else lie in a run's: a phase of that name must not be in their way.
_OWN = frozenset({"packs", "services", "replay", "coverage", "shards"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run writes: the output folder, and this run's own folder below it."""

    run_id: str
    output: Path
    folder: Path

    def attempt(self, test: Test, number: int) -> Path:
        phase = file_name(test.phase)
        if phase in _OWN or "." in phase:  # All files there have an ending, also those of reporters not ours.
            phase = f"phase-{phase}"
        return self.folder / phase / file_name(test.name) / f"attempt-{number}"

    def pack(self, phase: str, number: int) -> Path:
        return self.folder / "packs" / f"{file_name(phase)}-{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run is carried out with."""

    executor: Executor
    publish: Callable[[Event], Awaitable[None]]
    cancellation: CancelToken
    place: Place
    clock: Clock = field(default_factory=Clock)
    uniform: Callable[[float, float], float] = random.uniform
    surroundings: Surroundings = field(default_factory=NoSurroundings)


@dataclass(slots=True)
class _Ongoing:
    """The attempts of a test that has no verdict yet."""

    started: float
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Shared:
    """What the phases of a run have in common: its slots, its retries, and how many failures it bears."""

    retries: RunRetries
    limit: MaxFailures | None
    slots: Slots
    failures: int = 0
    too_many: str = ""
    opening: int = 0
    active: list["PhaseRun"] = field(default_factory=list)

    def start_what_may(self) -> None:
        """In whichever of the overlapping phases it is; whoever frees a slot calls this.

        Phases that may start together get their slots together: the first one would take them all.
        """
        while not self.opening and any(
            phase.start_one() for phase in sorted(self.active, key=lambda one: -one.urgency)
        ):
            pass

    def count_failure(self) -> bool:
        """True if the tests that still run are to be ended because of this one."""
        self.failures += 1
        if self.limit is None or self.failures < self.limit.count:
            return False
        first = not self.too_many
        self.too_many = f"{self.limit.count} failed: the limit of --max-failures"
        return first and self.limit.immediate


class PhaseRun:
    """One phase, from its first test to its verdict."""

    def __init__(  # noqa: PLR0913 - what it belongs to, and what it shares.
        self,
        engine: Means,
        phase: PlannedPhase,
        *,
        plan: Plan,
        run_limit: Deadline,
        shared: Shared,
        urgencies: Sequence[float],
    ) -> None:
        self._engine, self._phase = engine, phase
        self._clock, self._publish, self._cancellation = engine.clock, engine.publish, engine.cancellation
        self._slots = plan.workers
        self._tests = [test for test in start_order(phase, plan=plan) if not test.condition]
        self._shared = shared
        self._scheduler = PhaseScheduler(
            self._tests, slots=shared.slots, parallel=phase.parallel, urgencies=urgencies
        )
        self._attempts = asyncio.TaskGroup()
        self._ongoing: dict[str, _Ongoing] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._failed: str | None = None
        self._changed = asyncio.Event()
        self._started = self._clock.monotonic()
        phase_limit = Deadline(at=self._started + phase.timeout, limit=Limit.PHASE, seconds=phase.timeout)
        self._limit = min(run_limit, phase_limit, key=lambda deadline: deadline.at)
        self._carrier = PackCarrier(
            executor=engine.executor,
            publish=engine.publish,
            cancellation=engine.cancellation,
            place=engine.place.pack,
            spec=self._first_attempt,
            limit=self._limit,
        )

    async def run(self) -> Status:
        await self._publish(PhaseStarted(phase=self._phase.name))
        await self._skip_unwanted()
        await self._form_packs()
        over = asyncio.create_task(self._watch_for_the_end())
        try:
            async with self._attempts:
                self._shared.active.append(self)
                self._shared.opening -= 1
                await self._dispatch()
        finally:
            self._shared.active.remove(self)
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

    async def _form_packs(self) -> None:
        # A pack has begun all of its tests before the first can fail: too late for --max-failures.
        if self._phase.parallel and self._shared.limit is None:
            self._scheduler.form(await self._carrier.packs(self._tests, slots=self._slots))

    async def _dispatch(self) -> None:
        """Starts whatever may start until nothing is left; everything else happens in the attempts' tasks."""
        while True:
            self._changed.clear()
            if why := self._reason_to_stop():
                await self._give_up(why)
            if self._scheduler.over:  # Its last slot goes to whoever is most urgent once we are finished.
                return
            self._shared.start_what_may()
            await self._changed.wait()

    @property
    def urgency(self) -> float:
        return self._scheduler.urgency

    def start_one(self) -> bool:
        """True if something was started."""
        if self._reason_to_stop():
            return False
        if packed := self._scheduler.take_pack():
            self._attempts.create_task(self._carry(packed))
        elif start := self._scheduler.take():
            self._attempts.create_task(self._attempt(start))
        else:
            return False
        return True

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
        if broken := self._engine.surroundings.broken_in(self._phase.name):
            return because(Reason.BLOCKED, broken)
        if self._failed and not self._phase.parallel:
            return because(Reason.BLOCKED, f"{self._failed!r} failed, and the phase runs in order")
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
        delay = None  # A retry that was granted before too much failed does not take place.
        if not ongoing.attempts or not await self._is_refused(self._shared.retries.tripped()):
            delay = await self._decide(test, ongoing, await self._execute(test, ongoing, slot=start.slot))
        self._scheduler.release(start.slot)
        self._changed.set()
        await self._follow(test, ongoing, delay)

    async def _carry(self, start: PackStart) -> None:
        """The first attempt of every test of a pack, then for each what follows from it."""
        carried = await self._carrier.carry(start)
        decided: list[tuple[Test, _Ongoing, float | None]] = []
        for test in start.pack.tests:
            if attempt := carried.attempts.get(test.id):
                ongoing = _Ongoing(started=self._clock.monotonic() - attempt.duration)
                self._ongoing[test.id] = ongoing
                decided.append((test, ongoing, await self._decide(test, ongoing, attempt)))
        self._scheduler.repeat([test for test in start.pack.tests if test.id in carried.undecided])
        self._scheduler.form(pack_again(start.pack, carried))
        for slot in start.slots:
            self._scheduler.release(slot)
        self._changed.set()
        async with asyncio.TaskGroup() as following:
            for test, ongoing, delay in decided:
                following.create_task(self._follow(test, ongoing, delay))

    async def _decide(self, test: Test, ongoing: _Ongoing, attempt: Attempt) -> float | None:
        """Tells of an attempt; seconds until the next one, None if there is none."""
        ongoing.attempts.append(attempt)
        await self._publish(AttemptFinished(test=test.id, attempt=attempt))
        delay = await self._schedule_retry(test, ongoing.attempts)
        if delay == 0:
            self._scheduler.retry(test)  # Before the slot is free, so that nobody comes between.
        elif delay is not None:
            self._scheduler.pause(test)
        return delay

    async def _follow(self, test: Test, ongoing: _Ongoing, delay: float | None) -> None:
        """What comes after an attempt, when its slot is free: a pause, or the test's verdict."""
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
                why=str(conclude(attempts).reason),
                only=cases_to_retry(attempts),
            )
        )
        return delay

    async def _may_retry(self, test: Test) -> bool:
        """The limits of the run."""
        retries = self._shared.retries
        retries.failed(test.id)
        if await self._is_refused(retries.refusal()):
            return False
        retries.spent += 1
        return True

    async def _is_refused(self, refusal: str | None) -> bool:
        """The first refusal of each kind is said."""
        said = self._shared.retries.said
        if refusal is not None and refusal not in said:
            said.add(refusal)
            await self._publish(Warned(message=f"no more retries: {refusal}"))
        return refusal is not None

    def _first_attempt(self, test: Test, slot: int) -> AttemptSpec:
        place = self._engine.place
        return AttemptSpec(
            number=1,
            max_attempts=test.retries.max + 1,
            run_id=place.run_id,
            slot=slot,
            slot_count=self._slots,
            folder=place.attempt(test, 1),
            output_root=place.output,
        )

    async def _execute(self, test: Test, ongoing: _Ongoing, *, slot: int) -> Attempt:
        spec = self._first_attempt(test, slot)
        if ongoing.attempts:
            place, number = self._engine.place, len(ongoing.attempts) + 1
            spec = replace(
                spec,
                number=number,
                folder=place.attempt(test, number),
                only=cases_to_retry(ongoing.attempts),
                previous=place.attempt(test, number - 1),
            )
        await self._publish(attempt_started(test, spec))
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
        own = Deadline(at=at, limit=Limit.TEST, seconds=test.timeout, last=self._limit)
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
        if verdict.failed:
            self._failed = self._failed or test.id
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

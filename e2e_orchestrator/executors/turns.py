"""Lets those processes run one after the other that cannot stand each other, in whatever phase and attempt they are."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.model.command import AttemptSpec, Deadline
from e2e_orchestrator.model.outcomes import Attempt, Reason, Verdict, because
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec, Undecided
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.protocols import (
    Begin,
    Cancellation,
    Emit,
    ExclusiveRunner,
    Executor,
    PackingExecutor,
    Runner,
    packing,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnsExecutor:
    """Another executor's attempts and packs, each when it is its turn. Waiting is none of a test's time."""

    inner: Executor
    runners: Mapping[str, Runner]
    clock: Clock = field(default_factory=Clock)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict, init=False)

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        started_at, started = self.clock.now(), self.clock.monotonic()
        async with self._turn(test, deadline.last or deadline, cancellation=cancellation) as refused:
            waited = self.clock.monotonic() - started
            if refused:
                return Attempt(
                    number=spec.number,
                    started_at=started_at,
                    duration=waited,
                    verdict=refused,
                    slot=spec.slot,
                )
            return await self.inner.attempt(
                test, spec, deadline=deadline.later(waited), cancellation=cancellation, emit=emit
            )

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        if not isinstance(self.inner, PackingExecutor):
            return ()
        return await self.inner.packs(tests, slots=slots)

    async def carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        """A pack whose turn never came leaves its tests as they were: not started."""
        tests = spec.pack.tests
        async with self._turn(tests[0], deadline, cancellation=cancellation) as refused:
            if refused:
                why = Undecided(why=str(refused.message))
                return Carried(undecided={test.id: why for test in tests})
            return await packing(self.inner).carry(
                spec, deadline=deadline, cancellation=cancellation, emit=emit, begin=begin
            )

    @asynccontextmanager
    async def _turn(
        self, test: Test, latest: Deadline, *, cancellation: Cancellation
    ) -> AsyncIterator[Verdict | None]:
        """Has what the test must have to itself; gives the verdict on one whose turn never came."""
        name = await self._exclusive(test)
        if name is None:
            yield None
            return
        lock = self._locks.setdefault(name, asyncio.Lock())
        refused = await self._wait(lock, latest, cancellation=cancellation)
        try:
            yield refused
        finally:
            if refused is None:
                lock.release()

    async def _exclusive(self, test: Test) -> str | None:
        """A runner that breaks over the question breaks over the attempt as well, and says it there."""
        runner = self.runners[test.runner]
        if not isinstance(runner, ExclusiveRunner):
            return None
        try:
            return await asyncio.to_thread(runner.exclusive, test)
        except Exception:  # noqa: BLE001 - no plug-in is trusted.
            return None

    async def _wait(
        self, lock: asyncio.Lock, latest: Deadline, *, cancellation: Cancellation
    ) -> Verdict | None:
        """Until the lock is ours, or nothing is to be started any more."""
        acquiring = asyncio.create_task(lock.acquire())
        cancelled = asyncio.ensure_future(cancellation.wait())
        left = max(0.0, latest.at - self.clock.monotonic())
        ours = False
        try:
            await asyncio.wait({acquiring, cancelled}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            ours = acquiring.done()
        finally:
            cancelled.cancel()
            if not ours:
                acquiring.add_done_callback(lambda task: None if task.cancelled() else lock.release())
                acquiring.cancel()
        if ours:
            return None
        if why := cancellation.why:
            return because(Reason.INTERRUPTED, f"the run was cancelled ({why}) before its turn came")
        limit = f"the {latest.limit}'s limit of {latest.seconds:g} s"
        return because(Reason.TIMEOUT, f"{limit} was reached before its turn came")

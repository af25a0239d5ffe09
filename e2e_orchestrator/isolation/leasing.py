"""Gives every attempt what its slot owns: an executor around another one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.errors import OrchestratorError
from e2e_orchestrator.isolation.leases import Leases
from e2e_orchestrator.model.command import AttemptSpec, Deadline
from e2e_orchestrator.model.outcomes import Attempt, Reason, Verdict, because
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.protocols import Begin, Cancellation, Emit, Executor, PackingExecutor, packing


def _as_it_is(test: Test) -> Test:
    return test


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasingExecutor:
    """Tests that own nothing pass straight through. The time that a world takes is not the test's own.

    ``known`` gives a test with those of its references replaced whose values are known by now.
    """

    inner: Executor
    leases: Leases
    clock: Clock = field(default_factory=Clock)
    known: Callable[[Test], Test] = _as_it_is

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        if test.isolation is None:
            return await self.inner.attempt(
                test, spec, deadline=deadline, cancellation=cancellation, emit=emit
            )
        started_at, started = self.clock.now(), self.clock.monotonic()
        async with AsyncExitStack() as turn:
            given = await self._provide(
                self.known(test), spec, turn, latest=deadline.last or deadline, cancellation=cancellation
            )
            waited = self.clock.monotonic() - started
            if isinstance(given, Verdict):
                return Attempt(
                    number=spec.number, started_at=started_at, duration=waited, verdict=given, slot=spec.slot
                )
            return await self.inner.attempt(
                replace(test, env={**test.env, **given}),
                replace(
                    spec,
                    owned=self.leases.owned_by(spec.slot),
                    renewals=self.leases.renewals(spec.slot),
                ),
                deadline=deadline.later(waited),
                cancellation=cancellation,
                emit=emit,
            )

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        """A test with a world of its own runs alone: one process has one environment."""
        if not isinstance(self.inner, PackingExecutor):
            return ()
        return await self.inner.packs([test for test in tests if test.isolation is None], slots=slots)

    async def carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        return await packing(self.inner).carry(
            spec, deadline=deadline, cancellation=cancellation, emit=emit, begin=begin
        )

    async def _provide(
        self,
        test: Test,
        spec: AttemptSpec,
        turn: AsyncExitStack,
        *,
        latest: Deadline,
        cancellation: Cancellation,
    ) -> Mapping[str, str] | Verdict:
        """Races the end of the run and the phase: then nothing is to be started any more."""
        providing = asyncio.create_task(self._world(test, spec, turn))
        cancelled = asyncio.ensure_future(cancellation.wait())
        left = max(0.0, latest.at - self.clock.monotonic())
        try:
            await asyncio.wait({providing, cancelled}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if providing.done():
                return providing.result()
            providing.cancel()
            await asyncio.wait({providing})
        finally:
            providing.cancel()
            cancelled.cancel()
        if cancelled.done() and not cancelled.cancelled():
            return because(Reason.INTERRUPTED, f"the run was cancelled ({cancellation.why})")
        why = f"the {latest.limit}'s limit of {latest.seconds:g} s was reached before its slot was ready"
        return because(Reason.TIMEOUT, why)

    async def _world(
        self, test: Test, spec: AttemptSpec, turn: AsyncExitStack
    ) -> Mapping[str, str] | Verdict:
        try:
            return await self.leases.ready(test, spec, turn)
        except OrchestratorError as error:
            return because(Reason.INFRASTRUCTURE, str(error))
        except Exception as error:  # noqa: BLE001 - a driver's own odd error must not end the other tests.
            why = f"its slot could not be made ready: {type(error).__name__}: {' '.join(str(error).split())}"
            return because(Reason.INFRASTRUCTURE, why)

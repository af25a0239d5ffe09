"""Has the files of every attempt uploaded: an executor around another one, which waits for nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from e2e_orchestrator.model.command import AttemptSpec, Deadline
from e2e_orchestrator.model.outcomes import Attempt
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.protocols import Begin, Cancellation, Emit, Executor, PackingExecutor, packing
from e2e_orchestrator.storing.uploads import Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class StoringExecutor:
    inner: Executor
    uploads: Uploads

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        attempt = await self.inner.attempt(
            test, spec, deadline=deadline, cancellation=cancellation, emit=emit
        )
        self.uploads.begin(test.id, attempt)
        return attempt

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        return await self.inner.packs(tests, slots=slots) if isinstance(self.inner, PackingExecutor) else ()

    async def carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        carried = await packing(self.inner).carry(
            spec, deadline=deadline, cancellation=cancellation, emit=emit, begin=begin
        )
        for test_id, attempt in carried.attempts.items():
            self.uploads.begin(test_id, attempt)
        return carried

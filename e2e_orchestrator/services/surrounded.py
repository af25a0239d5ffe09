"""Attempts among services: with their ports, watched for their end, and with what they printed meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.command import AttemptSpec, Deadline
from e2e_orchestrator.model.outcomes import CUT_SHORT, Attempt, Case, Reason, ServiceLog, Verdict, because
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec, Undecided
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.planning.others_ports import with_values
from e2e_orchestrator.process.came import SUFFIX, times_of
from e2e_orchestrator.process.output import size_of
from e2e_orchestrator.protocols import Begin, Cancellation, Emit, Executor, PackingExecutor, packing
from e2e_orchestrator.safety.regular import open_regular
from e2e_orchestrator.services.group import Footing
from e2e_orchestrator.services.instance import Instance
from e2e_orchestrator.services.world import Around, World

_TAIL_BYTES = 2048
# Seconds that the moments of an attempt and of a log are cut by; what came in the last of them belongs to the attempt.
_ROUNDED = 0.0015


@dataclass(frozen=True, slots=True, kw_only=True)
class SurroundedExecutor:
    """Another executor's attempts, each with its world around it."""

    inner: Executor
    world: World
    clock: Clock = field(default_factory=Clock)

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        started_at, started = self.clock.now(), self.clock.monotonic()
        # A test's own limit begins when its services are there; that of the phase or the run does not wait.
        latest = deadline.last or deadline
        try:
            async with asyncio.timeout(max(0.0, latest.at - started)):
                around = await self._around(test, spec)
        except (InfrastructureError, TimeoutError) as error:
            return Attempt(
                number=spec.number,
                started_at=started_at,
                duration=self.clock.monotonic() - started,
                verdict=_not_started(error, deadline=latest, cancellation=cancellation),
                slot=spec.slot,
            )
        # The start of a slot's services is none of the test's time.
        deadline = deadline.later(self.clock.monotonic() - started)
        async with _watched(around, cancellation) as watched:
            attempt = await self.inner.attempt(
                _with_ports(test, around), spec, deadline=deadline, cancellation=watched.outage, emit=emit
            )
        return await watched.judged(attempt)

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        """One process stands in several slots, so that they must have the same around them."""
        if not isinstance(self.inner, PackingExecutor):
            return ()
        alike = [test for test in tests if not self.world.has_slots(test.phase)]
        return await self.inner.packs(alike, slots=slots) if alike else ()

    async def carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        try:
            around = await self._around(spec.pack.tests[0], spec.first)
        except InfrastructureError as error:
            return Carried(undecided={test.id: Undecided(why=error.message) for test in spec.pack.tests})
        tests = tuple(_with_ports(test, around) for test in spec.pack.tests)
        async with _watched(around, cancellation) as watched:

            async def begun(test: str, slot: int) -> None:
                watched.began[test] = watched.sizes
                await begin(test, slot)

            carried = await packing(self.inner).carry(
                replace(spec, pack=replace(spec.pack, tests=tests)),
                deadline=deadline,
                cancellation=watched.outage,
                emit=emit,
                begin=begun,
            )
        attempts = {one: await watched.carried(one, attempt) for one, attempt in carried.attempts.items()}
        return replace(carried, attempts=attempts)

    async def _around(self, test: Test, spec: AttemptSpec) -> Around:
        """Raises InfrastructureError if a service is not there, or, before a retry, does not answer."""
        footing = Footing(owned=spec.owned, renewals=spec.renewals)
        around = await self.world.around(spec.slot, phase=test.phase, footing=footing)
        if spec.number == 1:
            return around
        unwell = await asyncio.gather(*(instance.check() for instance in around.instances))
        if not any(unwell):
            return around
        return await self.world.around(spec.slot, phase=test.phase, footing=footing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """The services around an attempt while it runs; ``begins`` are the sizes of their logs at its beginning.

    ``began`` has the same for the beginning of each test of a pack.
    """

    instances: Sequence[Instance]
    begins: Sequence[int]
    outage: "_Outage"
    began: dict[str, Sequence[int]] = field(default_factory=dict)

    @property
    def sizes(self) -> list[int]:
        return [size_of(one.log) for one in self.instances]

    async def judged(self, attempt: Attempt) -> Attempt:
        logs = _logs(self.instances, self.begins, self.sizes, failed=attempt.verdict.failed)
        return await self._judged(replace(attempt, services=logs))

    async def carried(self, test: str, attempt: Attempt) -> Attempt:
        """Nobody looked when this test of the pack ended, so that the noted times have to tell."""
        begins = self.began.get(test, self.begins)
        over = datetime.fromisoformat(attempt.started_at).timestamp() + attempt.duration + _ROUNDED
        spans = zip(self.instances, begins, self.sizes, strict=True)
        ends = [_end(one.log, begin, size, over=over) for one, begin, size in spans]
        logs = _logs(self.instances, begins, ends, failed=attempt.verdict.failed)
        return await self._judged(replace(attempt, services=logs))

    async def _judged(self, attempt: Attempt) -> Attempt:
        if attempt.verdict.failed:
            await asyncio.gather(*(one.look() for one in self.instances))
        return await _judged(attempt, self.outage)


@asynccontextmanager
async def _watched(around: Around, cancellation: Cancellation) -> AsyncIterator[_Watched]:
    outage = _Outage(cancellation, around.instances)
    begins = [size_of(one.log) for one in around.instances]
    try:
        yield _Watched(instances=around.instances, begins=begins, outage=outage)
    finally:
        await outage.close()


class _Outage:
    """The run's own wish to end, or the end of a service that the attempt leans on, whichever comes first."""

    def __init__(self, cancellation: Cancellation, instances: Sequence[Instance]) -> None:
        self._cancellation = cancellation
        self.lost = {instance.lost: instance for instance in instances}
        self._any = asyncio.create_task(self._wait_for_any()) if self.lost else None

    @property
    def ended(self) -> Instance | None:
        """The first service that ended since the attempt began."""
        return next((instance for future, instance in self.lost.items() if future.done()), None)

    @property
    def message(self) -> str:
        return next((future.result() for future in self.lost if future.done()), "")

    @property
    def why(self) -> str | None:
        return self._cancellation.why or (f"service {self.ended.label!r} ended" if self.ended else None)

    @property
    def kill(self) -> bool:
        return self._cancellation.kill

    async def wait(self, *, kill: bool = False) -> None:
        if kill or self._any is None:
            await self._cancellation.wait(kill=kill)
            return
        asked = asyncio.ensure_future(self._cancellation.wait())
        try:
            await asyncio.wait({asked, self._any}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()

    async def close(self) -> None:
        if self._any:
            self._any.cancel()
            with suppress(asyncio.CancelledError):
                await self._any

    async def _wait_for_any(self) -> None:
        await asyncio.wait(self.lost, return_when=asyncio.FIRST_COMPLETED)


def _not_started(
    error: InfrastructureError | TimeoutError, *, deadline: Deadline, cancellation: Cancellation
) -> Verdict:
    if cancellation.why:
        return because(
            Reason.INTERRUPTED, f"the run was cancelled ({cancellation.why}) while its services started"
        )
    if isinstance(error, InfrastructureError):
        return because(Reason.INFRASTRUCTURE, error.message)
    limit = f"the {deadline.limit}'s limit of {deadline.seconds:g} s"
    return because(Reason.TIMEOUT, f"{limit} was reached while its services started")


async def _judged(attempt: Attempt, outage: _Outage) -> Attempt:
    """A failure under a service that ended says nothing about the test; a pass stays one."""
    ended = outage.ended
    if ended is None or not attempt.verdict.failed or outage.why != f"service {ended.label!r} ended":
        return attempt
    await ended.settled()
    said = f"service {ended.label!r} {outage.message}"
    verdict = because(Reason.INFRASTRUCTURE, said)
    cases = tuple(_cut_short(case, why=said) for case in attempt.cases)
    return replace(attempt, verdict=verdict, cases=cases, renewed=ended.failure is None)


def _cut_short(case: Case, *, why: str) -> Case:
    """The case that ran when we ended the process says why we did, or all reports would show it without."""
    return replace(case, message=f"was running when {why}") if case.message == CUT_SHORT else case


def _with_ports(test: Test, around: Around) -> Test:
    filled = with_values(test, around.ports)
    return replace(filled, env={**around.ports, **filled.env}) if around.ports else filled


def _end(log: Path, begin: int, size: int, *, over: float) -> int:
    """The byte of a log that was the first to come after this second; the last of all if none did."""
    times = times_of(log.with_name(log.name + SUFFIX), begin=begin, end=size)
    found = times.first_after(over)
    return size if found is None else max(begin, found)


def _logs(
    instances: Sequence[Instance], begins: Sequence[int], ends: Sequence[int], *, failed: bool
) -> tuple[ServiceLog, ...]:
    """Of a service that was silent the place in its log, where readers find what it said before and after."""
    found = []
    for instance, begin, end in zip(instances, begins, ends, strict=True):
        if end > begin or instance.talks:
            tail = _tail(instance, begin, end) if failed and end > begin else ""
            found.append(
                ServiceLog(service=instance.label, log=instance.log_name, begin=begin, end=end, tail=tail)
            )
    return tuple(found)


def _tail(instance: Instance, begin: int, end: int) -> str:
    """The last whole lines between two places of its output."""
    first = max(begin, end - _TAIL_BYTES)
    try:
        with open_regular(instance.log) as file:
            file.seek(first)
            text = file.read(end - first).decode("utf-8", "replace")
    except OSError:
        return ""
    return text if first == begin else text.partition("\n")[2]

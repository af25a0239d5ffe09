"""Carries packs: several tests of a phase in one process, where executor and runner offer that."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.engine.scheduler import PackStart
from e2e_orchestrator.model.command import AttemptSpec, Deadline
from e2e_orchestrator.model.events import AttemptStarted, Event, Warned
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.model.shortened import shortened
from e2e_orchestrator.protocols import Executor, PackingExecutor, packing

_FEWEST = 2


def attempt_started(test: Test, spec: AttemptSpec) -> AttemptStarted:
    return AttemptStarted(
        test=test.id,
        number=spec.number,
        max_attempts=spec.max_attempts,
        slot=spec.slot,
        output=spec.output.relative_to(spec.output_root).as_posix(),
    )


def pack_again(pack: Pack, carried: Carried) -> tuple[Pack, ...]:
    """The undecided that may share another pack, which is smaller: without whom the pack may have broken for.

    Nothing was wrong with these if a test was ended, or is suspected. Without either nobody knows what
    broke the pack, and all of them run alone.
    """
    rest = tuple(test for test in pack.tests if _is_innocent(test, carried))
    if not _FEWEST <= len(rest) < len(pack.tests):
        return ()
    return (Pack(tests=rest, width=min(pack.width, len(rest))),)


def _is_innocent(test: Test, carried: Carried) -> bool:
    found = carried.undecided.get(test.id)
    return found is not None and not found.suspect and carried.known_cause


@dataclass(slots=True, kw_only=True)
class PackCarrier:
    """The packs of one phase. ``place`` is a pack's folder, ``spec`` the first attempt of a test in a slot."""

    executor: Executor
    publish: Callable[[Event], Awaitable[None]]
    cancellation: CancelToken
    place: Callable[[str, int], Path]
    spec: Callable[[Test, int], AttemptSpec]
    limit: Deadline
    _count: int = field(default=0, init=False)

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        if not isinstance(self.executor, PackingExecutor):
            return ()
        return await self.executor.packs(tests, slots=slots)

    async def carry(self, start: PackStart) -> Carried:
        """Tells of everything but the ends of the attempts."""
        tests = {test.id: test for test in start.pack.tests}
        specs = {one: self.spec(test, start.slots[0]) for one, test in tests.items()}
        begun: set[str] = set()

        async def begin(test: str, slot: int) -> None:
            begun.add(test)
            await self.publish(attempt_started(tests[test], self.spec(tests[test], slot)))

        self._count += 1
        phase = start.pack.tests[0].phase
        folder = self.place(phase, self._count)
        spec = PackSpec(pack=start.pack, specs=specs, slots=start.slots, folder=folder)
        carried = await packing(self.executor).carry(
            spec, deadline=self.limit, cancellation=self.cancellation, emit=self.publish, begin=begin
        )
        for test in carried.attempts.keys() - begun:
            await begin(test, start.slots[0])
        for warning in self._warnings(carried, phase=phase):
            await self.publish(Warned(message=warning))
        return carried

    def _warnings(self, carried: Carried, *, phase: str) -> list[str]:
        """Why tests run again; of a run that ends anyway nobody needs to know."""
        reasons: dict[str, list[str]] = {}
        for test, undecided in carried.undecided.items():
            reasons.setdefault(undecided.why, []).append(test)
        again = [
            f"{phase}: started again, as the same attempt, because their pack decided nothing: {shortened(tests)} ({why})"
            for why, tests in reasons.items()
        ]
        return [*carried.warnings, *([] if self.cancellation.why else again)]

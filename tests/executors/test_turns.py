"""Processes that cannot stand each other run one after the other, and the wait is nobody's own time."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.plans import a_test

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.executors.turns import TurnsExecutor
from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Deadline, Judged, Limit
from e2e_orchestrator.model.events import Event
from e2e_orchestrator.model.outcomes import Attempt, Reason, passed
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.protocols import Begin, Cancellation, Emit

pytestmark = pytest.mark.anyio

PHASE = Deadline(at=100.0, limit=Limit.PHASE, seconds=100.0)
OWN = Deadline(at=10.0, limit=Limit.TEST, seconds=10.0, last=PHASE)


class Runner:
    """Tests named alike, but for a number, must not meet; who asks for "broken" breaks it."""

    def command(self, test: Test, spec: AttemptSpec) -> Command:
        raise NotImplementedError

    def judge(self, test: Test, spec: AttemptSpec, completed: Completed) -> Judged:
        raise NotImplementedError

    def exclusive(self, test: Test) -> str | None:
        if test.name == "broken":
            raise ValueError(test.name)
        return test.name.rstrip("0123456789") if test.name[-1].isdigit() else None


@dataclass
class Inner:
    """Attempts and packs that last until they are let go."""

    running: dict[str, asyncio.Event] = field(default_factory=dict)
    deadlines: dict[str, Deadline] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        await self._run(test, deadline)
        return Attempt(number=1, started_at="", duration=0.0, verdict=passed(), slot=0)

    async def packs(self, tests: list[Test], *, slots: int) -> list[Pack]:
        return [Pack(tests=tuple(tests), width=slots)]

    async def carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        await self._run(spec.pack.tests[0], deadline)
        return Carried(warnings=("carried",))

    async def _run(self, test: Test, deadline: Deadline) -> None:
        self.deadlines[test.name] = deadline
        self.running[test.name] = asyncio.Event()
        async with self.changed:
            self.changed.notify_all()
        await self.running[test.name].wait()
        del self.running[test.name]

    async def until(self, *names: str) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: set(names) <= set(self.running))


@dataclass
class Bench:
    """``now`` is the time on everybody's clock."""

    inner: Inner = field(default_factory=Inner)
    token: CancelToken = field(default_factory=CancelToken)
    now: float = 0.0
    turns: TurnsExecutor = field(init=False)

    def __post_init__(self) -> None:
        clock = Clock(monotonic=lambda: self.now)
        self.turns = TurnsExecutor(inner=self.inner, runners={"r": Runner()}, clock=clock)  # type: ignore[arg-type]

    def attempt(self, name: str, *, deadline: Deadline = OWN) -> asyncio.Task[Attempt]:
        return asyncio.create_task(
            self.turns.attempt(
                a_test(name), spec_of(), deadline=deadline, cancellation=self.token, emit=nothing
            )
        )

    def carry(self, *names: str, deadline: Deadline = PHASE) -> asyncio.Task[Carried]:
        tests = tuple(map(a_test, names))
        spec = PackSpec(
            pack=Pack(tests=tests, width=1),
            specs={test.id: spec_of() for test in tests},
            slots=(0,),
            folder=Path("/"),
        )
        return asyncio.create_task(
            self.turns.carry(
                spec, deadline=deadline, cancellation=self.token, emit=nothing, begin=never_begun
            )
        )

    async def waits(self) -> None:
        """Somebody stands in line."""
        while not any(lock._waiters for lock in self.turns._locks.values()):  # noqa: ASYNC110 - a lock tells nobody.
            await asyncio.sleep(0)


def spec_of() -> AttemptSpec:
    return AttemptSpec(
        number=1, max_attempts=1, run_id="r", slot=0, slot_count=2, folder=Path("/"), output_root=Path("/")
    )


async def nothing(event: Event) -> None:
    """Nobody listens."""


async def never_begun(test: str, slot: int) -> None:
    raise AssertionError(test)


async def test_one_runs_and_the_next_starts_with_its_whole_time() -> None:
    bench = Bench()
    first, second = bench.attempt("a1"), bench.attempt("a2")
    await bench.inner.until("a1")
    await bench.waits()
    assert set(bench.inner.running) == {"a1"}
    bench.now = 50.0
    bench.inner.running["a1"].set()
    await bench.inner.until("a2")
    assert bench.inner.deadlines["a2"].at == 60.0
    bench.inner.running["a2"].set()
    assert {(await one).verdict for one in (first, second)} == {passed()}


async def test_the_phases_limit_does_not_move() -> None:
    bench = Bench()
    first, second = bench.attempt("a1"), bench.attempt("a2")
    await bench.inner.until("a1")
    await bench.waits()
    bench.now = 95.0
    bench.inner.running["a1"].set()
    await bench.inner.until("a2")
    assert bench.inner.deadlines["a2"] is PHASE
    bench.inner.running["a2"].set()
    await asyncio.gather(first, second)


async def test_others_and_those_that_need_nothing_do_not_wait() -> None:
    bench = Bench()
    tasks = [bench.attempt(name) for name in ("a1", "b1", "free", "broken")]
    await bench.inner.until("a1", "b1", "free", "broken")
    for event in list(bench.inner.running.values()):
        event.set()
    await asyncio.gather(*tasks)


async def test_a_pack_and_an_attempt_take_turns() -> None:
    bench = Bench()
    pack = bench.carry("a1", "a2")
    await bench.inner.until("a1")
    alone = bench.attempt("a3")
    await bench.waits()
    assert set(bench.inner.running) == {"a1"}
    bench.inner.running["a1"].set()
    assert (await pack).warnings == ("carried",)
    await bench.inner.until("a3")
    bench.inner.running["a3"].set()
    assert (await alone).verdict == passed()


async def test_a_cancelled_run_starts_nobody_who_waits() -> None:
    bench = Bench()
    first = bench.attempt("a1")
    await bench.inner.until("a1")
    second, pack = bench.attempt("a2"), bench.carry("a3", "a4")
    await bench.waits()
    bench.token.request("SIGINT")
    assert (await second).verdict.reason is Reason.INTERRUPTED
    assert set((await pack).undecided) == {"one/a3", "one/a4"}
    bench.inner.running["a1"].set()
    await first
    assert set(bench.inner.deadlines) == {"a1"}


async def test_who_waits_for_longer_than_the_phase_has_is_out_of_time() -> None:
    bench = Bench()
    first = bench.attempt("a1")
    await bench.inner.until("a1")
    bench.now = 100.0
    second = await bench.attempt("a2")
    assert second.verdict.reason is Reason.TIMEOUT
    assert "the phase's limit of 100 s" in str(second.verdict.message)
    bench.inner.running["a1"].set()
    await first
    third = bench.attempt("a3", deadline=Deadline(at=200.0, limit=Limit.RUN, seconds=200.0))
    await bench.inner.until("a3")
    bench.inner.running["a3"].set()
    await third

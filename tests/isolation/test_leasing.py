"""What an attempt gets of its slot, and what it comes to when that cannot be had."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.plans import a_phase, a_plan, a_test

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation import leases as module
from e2e_orchestrator.isolation.bases import Surrounds
from e2e_orchestrator.isolation.consent import refuse_strangers
from e2e_orchestrator.isolation.driver import Base, CannotIsolate, Owner, World
from e2e_orchestrator.isolation.leases import Leases
from e2e_orchestrator.isolation.leasing import LeasingExecutor
from e2e_orchestrator.model.command import AttemptSpec, Deadline, Limit
from e2e_orchestrator.model.events import Event, LeaseReleased, Warned
from e2e_orchestrator.model.isolation import DatabaseIsolation, Fallback, Isolation, PlannedDatabase
from e2e_orchestrator.model.outcomes import Attempt, Reason, passed
from e2e_orchestrator.model.plan import Plan, Test
from e2e_orchestrator.protocols import Cancellation, Emit

pytestmark = pytest.mark.anyio

CLONE = Isolation(database=DatabaseIsolation.CLONE)
FAR = Deadline(at=1e12, limit=Limit.PHASE, seconds=60)


class Inner:
    """Remembers what it was asked for; ``hold`` keeps an attempt until it is set."""

    def __init__(self, hold: asyncio.Event | None = None) -> None:
        self.tests: list[Test] = []
        self.entered = asyncio.Event()
        self._hold = hold

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        self.tests.append(test)
        self.entered.set()
        if self._hold:
            await self._hold.wait()
        return Attempt(number=1, started_at="", duration=0.0, verdict=passed(), slot=spec.slot)


class Driver:
    """Does what it is told when it is examined."""

    def __init__(self, base: Base, examine: Callable[[], None]) -> None:
        self._base, self._examine = base, examine

    async def examine(self) -> None:
        self._examine()

    async def make(self, slot: int) -> World:
        return World(name=f"clone {slot}", environment={self._base.variable: f"clone {slot}"})

    reset = make

    async def release(self, slot: int) -> None: ...

    async def close(self) -> None: ...


def fine() -> None: ...


def refuses() -> None:
    raise SafeguardRefused("nobody says that it is for tests")


def cannot() -> None:
    raise CannotIsolate("not allowed", hint="GRANT it;")


def silent() -> None:
    raise InfrastructureError("it does not answer")


class Bench:
    """Leases over drivers of the test's own, and an executor around them."""

    def __init__(
        self,
        folder: Path,
        *tests: Test,
        inner: Inner | None = None,
        databases: tuple[PlannedDatabase, ...] = (),
    ) -> None:
        self.events: list[Event] = []
        self.inner = inner or Inner()
        self.folder = folder
        self.cancellation = CancelToken()
        self.plan: Plan = replace(a_plan(a_phase("one", *tests), workers=2), databases=databases)
        around = Surrounds(plan=self.plan, environ={}, owner=Owner(run_id="run", folder=folder))
        self.leases = Leases(around=around, folder=folder / ".slots", emit=self.emit)
        self.executor = LeasingExecutor(inner=self.inner, leases=self.leases)

    async def emit(self, event: Event) -> None:
        self.events.append(event)

    async def attempt(self, test: Test, *, slot: int = 0, deadline: Deadline = FAR) -> Attempt:
        spec = AttemptSpec(
            number=1,
            max_attempts=1,
            run_id="run",
            slot=slot,
            slot_count=2,
            folder=self.folder,
            output_root=self.folder,
        )
        return await self.executor.attempt(
            test, spec, deadline=deadline, cancellation=self.cancellation, emit=self.emit
        )


def a_clone(name: str = "a", **fields: Any) -> Test:
    env = {"DATABASE_URL": "postgresql://localhost/test_shop"}
    return a_test(name, phase="one", isolation=CLONE, env=env, **fields)


@pytest.fixture
def examine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Says what a base comes to when it is examined."""

    def said(act: Callable[[], None]) -> None:
        monkeypatch.setattr(module, "driver_for", lambda base, mode=None: Driver(base, act))

    return said


async def test_a_test_that_shares_everything_is_passed_on_as_it_is(tmp_path: Path) -> None:
    test = a_test("a", phase="one")
    bench = Bench(tmp_path, test)
    async with bench.leases:
        await bench.attempt(test)
    assert bench.inner.tests == [test]
    assert bench.events == []


async def test_a_test_gets_what_its_slot_owns(tmp_path: Path, examine: Any) -> None:
    examine(fine)
    bench = Bench(tmp_path, a_clone())
    async with bench.leases:
        await bench.attempt(a_clone(), slot=1)
        assert bench.leases.owned_by(1) == {"DATABASE_URL": "clone 1"}
        assert bench.leases.owned_by(0) == {}
    assert [test.env["DATABASE_URL"] for test in bench.inner.tests] == ["clone 1"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InfrastructureError("no answer"), "no answer; `e2e-orchestrate clean` removes it"),
        (SafeguardRefused("it is not ours any more"), "it is not ours any more"),
    ],
    ids=["what clean will find", "what clean would not touch either"],
)
async def test_what_cannot_be_removed_is_told(
    error: Exception, said: str, tmp_path: Path, examine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def release(_driver: Driver, _slot: int) -> None:
        raise error

    examine(fine)
    monkeypatch.setattr(Driver, "release", release)
    bench = Bench(tmp_path, a_clone())
    async with bench.leases:
        await bench.attempt(a_clone())
    [released] = [event for event in bench.events if isinstance(event, LeaseReleased)]
    assert released.message == said


async def test_what_was_refused_once_is_refused_again(tmp_path: Path, examine: Any) -> None:
    """A driver that was never proven would clone, and drop, somebody's database."""
    examine(silent)
    bench = Bench(tmp_path, a_clone())
    async with bench.leases:
        examine(refuses)
        for _ in range(2):
            attempt = await bench.attempt(a_clone())
            assert attempt.verdict.reason is Reason.INFRASTRUCTURE
            assert attempt.verdict.message == "nobody says that it is for tests"
    assert bench.inner.tests == []


@pytest.mark.parametrize("built", [True, False], ids=["built, no base to share", "`fallback: error`"])
async def test_a_test_that_may_not_share_never_gets_the_base(
    built: bool, tmp_path: Path, examine: Any
) -> None:
    isolation = CLONE if built else replace(CLONE, fallback=Fallback.ERROR)
    test = replace(a_clone(), isolation=isolation)
    sources = (PlannedDatabase(variable="DATABASE_URL", sql="schema.sql"),) if built else ()
    examine(silent)
    bench = Bench(tmp_path, test, databases=sources)
    async with bench.leases:
        examine(cannot)
        for _ in range(2):
            verdict = (await bench.attempt(test)).verdict
            assert verdict.reason is Reason.INFRASTRUCTURE
            assert "not allowed" in (verdict.message or "")
    assert bench.inner.tests == []


async def test_a_server_that_answers_later_is_good_enough(tmp_path: Path, examine: Any) -> None:
    examine(silent)
    bench = Bench(tmp_path, a_clone())
    async with bench.leases:
        assert (await bench.attempt(a_clone())).verdict.message == "it does not answer"
        examine(fine)
        assert (await bench.attempt(a_clone())).verdict == passed()


async def test_tests_that_fell_back_take_turns_until_the_run_ends(tmp_path: Path, examine: Any) -> None:
    examine(cannot)
    hold = asyncio.Event()
    first, second = a_clone("a"), a_clone("b")
    bench = Bench(tmp_path, first, second, inner=Inner(hold))
    async with bench.leases:
        running = asyncio.create_task(bench.attempt(first))
        waiting = asyncio.create_task(bench.attempt(second, slot=1))
        await bench.inner.entered.wait()
        assert bench.inner.tests == [first]
        bench.cancellation.request("SIGINT")
        assert (await waiting).verdict.reason is Reason.INTERRUPTED
        hold.set()
        assert (await running).verdict == passed()
    [warned] = [event for event in bench.events if isinstance(event, Warned)]
    assert "GRANT it;" in warned.message
    assert bench.inner.tests[0].env["DATABASE_URL"].endswith("test_shop")


async def test_slots_for_which_nothing_is_left_take_turns_on_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with the numbers of a Redis: that they run out shows only when one is wanted."""

    class Scarce(Driver):
        async def make(self, slot: int) -> World:
            if slot:
                cannot()
            return await super().make(slot)

    monkeypatch.setattr(module, "driver_for", lambda base, mode=None: Scarce(base, fine))
    hold = asyncio.Event()
    tests = [a_clone(name) for name in "abc"]
    bench = Bench(tmp_path, *tests, inner=Inner(hold))
    async with bench.leases:
        running = asyncio.create_task(bench.attempt(tests[1], slot=1))
        await bench.inner.entered.wait()
        bench.inner.entered.clear()
        own = asyncio.create_task(bench.attempt(tests[0], slot=0))
        await bench.inner.entered.wait()
        waiting = asyncio.create_task(bench.attempt(tests[2], slot=2))
        hold.set()
        assert [(await one).verdict for one in (running, own, waiting)] == [passed()] * 3
        assert bench.leases.owned_by(1) == {}
    found = {test.id: test.env["DATABASE_URL"] for test in bench.inner.tests}
    base = "postgresql://localhost/test_shop"
    assert list(found.values()) == [base, "clone 0", base]
    [warned] = [event for event in bench.events if isinstance(event, Warned)]
    assert warned.message.startswith("DATABASE_URL is not isolated in every slot: not allowed.")


async def test_two_slots_without_a_clone_never_run_at_once(tmp_path: Path, examine: Any) -> None:
    """Also if it shows only after the first has asked, when nobody holds the turn yet."""
    examine(silent)
    hold = asyncio.Event()
    first, second = a_clone("a"), a_clone("b")
    bench = Bench(tmp_path, first, second, inner=Inner(hold))
    async with bench.leases:
        examine(cannot)
        running = asyncio.create_task(bench.attempt(first))
        await bench.inner.entered.wait()
        waiting = asyncio.create_task(bench.attempt(second, slot=1))
        bench.cancellation.request("SIGINT")
        assert (await waiting).verdict.reason is Reason.INTERRUPTED
        assert bench.inner.tests == [replace(first, env=bench.inner.tests[0].env)]
        hold.set()
        await running


async def test_what_nothing_here_clones_falls_back(tmp_path: Path) -> None:
    test = replace(a_clone(), env={"DATABASE_URL": "mongodb://127.0.0.1:1,127.0.0.1:2/shop?replicaSet=r"})
    bench = Bench(tmp_path, test)
    async with bench.leases:
        assert (await bench.attempt(test)).verdict == passed()
    assert [one.env for one in bench.inner.tests] == [test.env]
    [warned] = [event for event in bench.events if isinstance(event, Warned)]
    assert "mongodb:// leads to nothing that can be cloned here" in warned.message


async def test_an_address_that_is_no_url_is_named_as_that(tmp_path: Path) -> None:
    test = replace(a_clone(), env={"DATABASE_URL": "host=127.0.0.1 dbname=test_shop"})
    bench = Bench(tmp_path, test)
    async with bench.leases:
        message = (await bench.attempt(test)).verdict.message or ""
    assert "its DATABASE_URL is no address in the form of a URL" in message


async def test_the_phase_ends_also_for_who_waits_for_his_turn(tmp_path: Path, examine: Any) -> None:
    examine(cannot)
    hold = asyncio.Event()
    first, second = a_clone("a"), a_clone("b")
    bench = Bench(tmp_path, first, second, inner=Inner(hold))
    phase = Deadline(at=Clock().monotonic() + 0.05, limit=Limit.PHASE, seconds=0.05)
    own = Deadline(at=Clock().monotonic() + 0.01, limit=Limit.TEST, seconds=0.01, last=phase)
    async with bench.leases:
        running = asyncio.create_task(bench.attempt(first))
        await bench.inner.entered.wait()
        verdict = (await bench.attempt(second, slot=1, deadline=own)).verdict
        assert verdict.reason is Reason.TIMEOUT
        assert verdict.message == "the phase's limit of 0.05 s was reached before its slot was ready"
        hold.set()
        await running


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/shop", "mysql://127.0.0.1:1/shop"])
async def test_what_cannot_be_asked_for_its_marker_is_refused(url: str, tmp_path: Path) -> None:
    test = a_test("a", phase="one", isolation=CLONE, env={"DATABASE_URL": url})
    owner = Owner(run_id="run", folder=tmp_path)
    with pytest.raises(SafeguardRefused, match="'shop' is not known to be a test database"):
        await refuse_strangers(Surrounds(plan=a_plan(a_phase("one", test)), environ={}, owner=owner))

"""Services of slots lean on what their slot owns."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from support.plans import a_test

from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.command import AttemptSpec
from e2e_orchestrator.model.events import Event, ServiceFailed, ServiceStarted
from e2e_orchestrator.model.outcomes import Attempt
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.model.service import LogProbe, PlannedService, Scope, Stop
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.services.ground import Ground
from e2e_orchestrator.services.group import Footing
from e2e_orchestrator.services.surrounded import SurroundedExecutor
from e2e_orchestrator.services.world import World

pytestmark = pytest.mark.anyio


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
async def ground(tmp_path: Path, told: list[Event]) -> AsyncIterator[Ground]:
    async def emit(event: Event) -> None:
        told.append(event)

    async with Supervisor(log=tmp_path / "keeper.log") as supervisor:
        yield Ground(
            supervisor=supervisor,
            environ={"PATH": "/usr/bin:/bin"},
            run_id="run",
            logs=tmp_path / "services",
            output=tmp_path,
            cancellation=CancelToken(),
            emit=emit,
        )


def says_its_database(tmp_path: Path, **more: object) -> PlannedService:
    return PlannedService(
        name="api",
        command=("sh", "-c", "echo on $DATABASE_URL; exec sleep 300"),
        cwd=str(tmp_path),
        env={"DATABASE_URL": "the file's"},
        ready=(LogProbe(log="^on ", timeout=20.0),),
        scope=Scope.SLOT,
        **more,  # type: ignore[arg-type]
    )


async def test_a_slots_services_have_its_own_and_are_started_anew_when_that_changes(
    ground: Ground, tmp_path: Path, told: list[Event]
) -> None:
    first, again = ({"DATABASE_URL": f"test_shop_0{more}"} for more in ("", "_again"))
    world = World([says_its_database(tmp_path)], ground=ground)
    async with world.up():
        await world.around(0, phase="p", footing=Footing(owned=first))
        await world.around(0, phase="p", footing=Footing(owned=first))
        await world.around(1, phase="p", footing=Footing())
        await world.around(0, phase="p", footing=Footing(owned=again))
    assert (tmp_path / "services/slot-0/api.log").read_text() == "on test_shop_0\non test_shop_0_again\n"
    assert (tmp_path / "services/slot-1/api.log").read_text() == "on the file's\n"
    started = [event.service for event in told if isinstance(event, ServiceStarted)]
    assert started == ["api (slot 0)", "api (slot 1)", "api (slot 0)"]


async def test_services_that_were_ending_when_time_was_up_are_started_anew_for_who_wants_them(
    ground: Ground, tmp_path: Path, told: list[Event]
) -> None:
    leaving, go = tmp_path / "leaving", tmp_path / "go"
    os.mkfifo(leaving)
    bye = f"echo > {leaving}; while [ ! -e {go} ]; do sleep 0.01; done; exit 0"
    slow = PlannedService(
        name="web", command=("sh", "-c", f"trap '{bye}' INT; echo on; while :; do sleep 0.01; done"),
        cwd=str(tmp_path), ready=(LogProbe(log="^on"),), scope=Scope.SLOT, phases=("one", "three"),
        stop=Stop(grace=30.0),
    )  # fmt: skip
    other = replace(slow, name="other", command=("sleep", "300"), ready=(), phases=("two",))
    world = World([slow, other], ground=ground)
    async with world.up():
        await world.around(0, phase="one", footing=Footing())
        exchanging = asyncio.ensure_future(world.around(0, phase="two", footing=Footing()))
        await asyncio.to_thread(leaving.read_text)
        leaving.unlink()  # Who is asked to leave again need not wait for a reader.
        exchanging.cancel()
        await asyncio.wait({exchanging})
        go.touch()
        [web] = (await world.around(0, phase="three", footing=Footing())).instances
        assert not web.lost.done()
    started = [event.service for event in told if isinstance(event, ServiceStarted)]
    assert started == ["web (slot 0)", "web (slot 0)"]


async def test_a_slot_that_could_not_start_breaks_the_world_once(
    ground: Ground, tmp_path: Path, told: list[Event]
) -> None:
    service = PlannedService(name="api", command=("false",), cwd=str(tmp_path), scope=Scope.SLOT,
                             ready=(LogProbe(log="never"),))  # fmt: skip
    world = World([service], ground=ground)
    async with world.up():
        with pytest.raises(InfrastructureError, match="exit status 1 before it was ready"):
            await world.around(0, phase="p", footing=Footing())
        assert "exit status 1" in (world.broken_in("p") or "")
        with pytest.raises(InfrastructureError):
            await world.around(0, phase="p", footing=Footing())
    assert len([event for event in told if isinstance(event, ServiceFailed)]) == 1


async def test_a_slots_service_that_fails_takes_down_the_tests_that_have_it_and_no_others(
    ground: Ground, tmp_path: Path
) -> None:
    never = PlannedService(name="never", command=("false",), cwd=str(tmp_path), scope=Scope.SLOT,
                           ready=(LogProbe(log="never"),), phases=("one",))  # fmt: skip
    world = World([never, says_its_database(tmp_path)], ground=ground)
    async with world.up():
        with pytest.raises(InfrastructureError, match="exit status 1 before it was ready"):
            await world.around(0, phase="one", footing=Footing())
        assert world.broken is None
        assert world.broken_in("two") is None
        [api] = (await world.around(0, phase="two", footing=Footing())).instances
        assert api.service.name == "api"
        assert "exit status 1" in (world.broken_in("one") or "")


async def test_who_is_stopped_while_it_starts_again_may_come_back(
    ground: Ground, tmp_path: Path, told: list[Event]
) -> None:
    """As it does if its process ends just when a test has passed, and the slot's next test wants others."""
    once = "if mkdir begun; then echo on; read x < end; exit 1; fi; [ ! -e well ] || echo on; exec sleep 300"
    web = PlannedService(name="web", command=("sh", "-c", once), cwd=str(tmp_path), ready=(LogProbe(log="^on"),),
                         restarts=3, scope=Scope.SLOT, phases=("one",))  # fmt: skip
    other = replace(web, name="other", command=("sleep", "300"), ready=(), phases=("two",))
    os.mkfifo(tmp_path / "end")
    world = World([web, other], ground=ground)
    async with world.up():
        [ending] = (await world.around(0, phase="one", footing=Footing())).instances
        await asyncio.to_thread((tmp_path / "end").write_text, "now")
        await ending.lost
        await world.around(0, phase="two", footing=Footing())
        assert world.broken_in("one") is None
        (tmp_path / "well").touch()
        [again] = (await world.around(0, phase="one", footing=Footing())).instances
        assert again.stands
    assert not any(isinstance(event, ServiceFailed) for event in told)


async def test_phases_without_services_of_their_own_need_not_wait(ground: Ground, tmp_path: Path) -> None:
    of_phase = PlannedService(name="api", command=("sleep", "300"), cwd=str(tmp_path), scope=Scope.PHASE)
    some = World([replace(of_phase, phases=("one",)), says_its_database(tmp_path)], ground=ground)
    assert [some.phase_waits(phase) for phase in ("one", "two")] == [True, False]
    assert World([of_phase], ground=ground).phase_waits("two")


class Packing:
    """An executor that puts all tests into one pack, and carries none."""

    async def attempt(self, test: Test, spec: AttemptSpec, **about: object) -> Attempt:
        raise NotImplementedError

    async def carry(self, spec: PackSpec, **about: object) -> Carried:
        raise NotImplementedError

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        return [Pack(tests=tuple(tests), width=slots)]


async def test_tests_are_packed_in_the_phases_whose_slots_are_alike(ground: Ground, tmp_path: Path) -> None:
    world = World([says_its_database(tmp_path, phases=("one",))], ground=ground)
    executor = SurroundedExecutor(inner=Packing(), world=world)
    own, alike = a_test("a", phase="one"), a_test("b", phase="two")
    assert await executor.packs([own], slots=2) == ()
    assert [pack.tests for pack in await executor.packs([alike], slots=2)] == [(alike,)]

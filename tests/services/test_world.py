"""Services of slots lean on what their slot owns."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.events import Event, ServiceFailed, ServiceStarted
from e2e_orchestrator.model.service import LogProbe, PlannedService, Scope
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.services.ground import Ground
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
        await world.around(0, phase="p", owned=first)
        await world.around(0, phase="p", owned=first)
        await world.around(1, phase="p", owned={})
        await world.around(0, phase="p", owned=again)
    assert (tmp_path / "services/slot-0/api.log").read_text() == "on test_shop_0\non test_shop_0_again\n"
    assert (tmp_path / "services/slot-1/api.log").read_text() == "on the file's\n"
    started = [event.service for event in told if isinstance(event, ServiceStarted)]
    assert started == ["api (slot 0)", "api (slot 1)", "api (slot 0)"]


async def test_a_slot_that_could_not_start_breaks_the_world_once(
    ground: Ground, tmp_path: Path, told: list[Event]
) -> None:
    service = PlannedService(name="api", command=("false",), cwd=str(tmp_path), scope=Scope.SLOT,
                             ready=(LogProbe(log="never"),))  # fmt: skip
    world = World([service], ground=ground)
    async with world.up():
        with pytest.raises(InfrastructureError, match="exit status 1 before it was ready"):
            await world.around(0, phase="p", owned={})
        assert "exit status 1" in (world.broken or "")
        with pytest.raises(InfrastructureError):
            await world.around(0, phase="p", owned={})
    assert len([event for event in told if isinstance(event, ServiceFailed)]) == 1

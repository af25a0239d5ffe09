"""What services printed belongs to the test of a pack that was running then."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.project import wait_until
from support.stories import a_test

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.engine.cancel import CancelToken
from e2e_orchestrator.model.command import AttemptSpec, Deadline, Limit
from e2e_orchestrator.model.events import Event
from e2e_orchestrator.model.outcomes import Attempt, passed
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec
from e2e_orchestrator.model.service import LogProbe, PlannedService
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.services.ground import Ground
from e2e_orchestrator.services.surrounded import SurroundedExecutor
from e2e_orchestrator.services.world import World

pytestmark = pytest.mark.anyio
FIRST, SECOND = a_test("p", "first"), a_test("p", "second")


async def nothing(event: Event) -> None:
    pass


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A service that repeats what is written to the file ``told``."""
    (tmp_path / "told").write_text("up\n")
    service = PlannedService(
        name="api", command=("tail", "-f", "told"), cwd=str(tmp_path), ready=(LogProbe(log="^up", timeout=20.0),)
    )  # fmt: skip
    async with Supervisor(log=tmp_path / "keeper.log") as supervisor:
        ground = Ground(
            supervisor=supervisor,
            environ={"PATH": "/usr/bin:/bin"},
            run_id="run",
            logs=tmp_path / "services",
            output=tmp_path,
            cancellation=CancelToken(),
            emit=nothing,
        )
        world = World([service], ground=ground)
        async with world.up():
            yield world


@dataclass
class OneAfterTheOther:
    """Carries two tests of which each makes the service speak, until a new time was noted for it."""

    folder: Path

    async def attempt(self, *_: Any, **__: Any) -> Attempt:
        raise AssertionError("everything is packed")

    async def packs(self, *_: Any, **__: Any) -> tuple[Pack, ...]:
        return ()

    async def carry(self, spec: PackSpec, *, begin: Any, **_: Any) -> Carried:
        attempts, clock = {}, Clock()
        for test in spec.pack.tests:
            await begin(test.id, 0)
            started_at, started = clock.now(), clock.monotonic()
            self._speak(test.name)
            attempts[test.id] = Attempt(
                number=1, started_at=started_at, duration=clock.monotonic() - started, verdict=passed(), slot=0
            )  # fmt: skip
        return Carried(attempts=attempts)

    def _speak(self, word: str) -> None:
        log, times = self.folder / "services/api.log", self.folder / "services/api.log.times"
        noted = times.read_text()

        def said() -> bool:
            with (self.folder / "told").open("a") as told:
                told.write(f"{word}\n")
            lines = (self.folder / "told").read_text().count("\n")
            wait_until(lambda: log.read_text().count("\n") == lines, what="the service's words")
            return times.read_text() != noted

        wait_until(said, what="a new time")


async def test_each_test_of_a_pack_has_what_was_said_from_its_own_first_case_on(
    world: World, tmp_path: Path
) -> None:
    specs = {
        test.id: AttemptSpec(
            number=1, max_attempts=1, run_id="run", slot=0, slot_count=1, folder=tmp_path, output_root=tmp_path
        )
        for test in (FIRST, SECOND)
    }  # fmt: skip
    spec = PackSpec(pack=Pack(tests=(FIRST, SECOND), width=1), specs=specs, slots=(0,), folder=tmp_path)
    deadline = Deadline(at=Clock().monotonic() + 60, seconds=60.0, limit=Limit.TEST)

    async def begin(test: str, slot: int) -> None:
        pass

    carried = await SurroundedExecutor(inner=OneAfterTheOther(tmp_path), world=world).carry(
        spec, deadline=deadline, cancellation=CancelToken(), emit=nothing, begin=begin
    )
    log = (tmp_path / "services/api.log").read_bytes()
    said = {
        one: log[logs.begin : logs.end]
        for one, attempt in carried.attempts.items()
        for logs in attempt.services
    }
    assert set(said[SECOND.id].split()) == {b"second"}
    assert b"up" not in said[FIRST.id]
    assert said[FIRST.id].startswith(b"first\n")
    assert said[FIRST.id].count(b"second") < said[SECOND.id].count(b"second"), "the end is that of the test"

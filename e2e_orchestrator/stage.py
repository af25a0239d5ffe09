"""What attempts stand on: services, leases and executors, put together for one run."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.engine.phase_run import Place
from e2e_orchestrator.executors.closing import Closing
from e2e_orchestrator.executors.local import LocalExecutor
from e2e_orchestrator.executors.packed import PackedExecutor
from e2e_orchestrator.executors.turns import TurnsExecutor
from e2e_orchestrator.executors.warm_memory import FILE as WARM_FILE
from e2e_orchestrator.executors.warm_start import WarmStarts
from e2e_orchestrator.isolation.bases import Surrounds
from e2e_orchestrator.isolation.directory import SLOTS
from e2e_orchestrator.isolation.driver import Owner
from e2e_orchestrator.isolation.leases import Leases
from e2e_orchestrator.isolation.leasing import LeasingExecutor
from e2e_orchestrator.isolation.migrating import Migration
from e2e_orchestrator.model.events import Warned
from e2e_orchestrator.model.plan import Plan, Test
from e2e_orchestrator.planning.others_ports import with_values
from e2e_orchestrator.process.remains import MARKER
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.protocols import Cancellation, Emit, Executor, Runner
from e2e_orchestrator.safety.redact import Redactor
from e2e_orchestrator.services.ground import Ground
from e2e_orchestrator.services.surrounded import SurroundedExecutor
from e2e_orchestrator.services.world import World
from e2e_orchestrator.storing.executor import StoringExecutor
from e2e_orchestrator.storing.uploads import Uploads

_SERVICES = "services"
_CLOSING_SECONDS, _CLOSING_SECONDS_IN_A_HURRY = 30.0, 3.0


@dataclass(slots=True, kw_only=True)
class Stage:
    """``environ`` is what every child gets before its own additions.

    An attempt first gets what its slot owns, then the services around it, which may stand on that: a slot's
    application on the slot's database.
    """

    plan: Plan
    environ: Mapping[str, str]
    owner: Owner
    place: Place
    supervisor: Supervisor
    runners: Mapping[str, Runner]
    redactor: Redactor
    cancellation: Cancellation
    clock: Clock
    emit: Emit
    uploads: Uploads | None = None
    world: World = field(init=False)
    executor: Executor = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.plan.services, ground=self._ground())
        self.executor = self._executor(self._leases(), warm=None)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """Services and leases are there, and gone on leaving.

        Raises InfrastructureError if one cannot be had, and SafeguardRefused if one must not be touched.
        """
        async with self.world.up(), self._leases() as leases, aclosing(self._warm()) as warm:
            self.executor = self._executor(leases, warm=warm)
            try:
                yield
            finally:  # While the services are there: a database server may be one of them.
                await self._close_runners()
                await self.world.end_slots()  # What a slot owns cannot be removed from under its services.

    async def _close_runners(self) -> None:
        """What the runners want to have undone; a run that could not do it says so."""
        closing = Closing(
            supervisor=self.supervisor,
            environ={**self.environ, **self.world.ports(phase="")},
            run_id=self.place.run_id,
            folder=self.place.folder,
        )
        seconds = _CLOSING_SECONDS_IN_A_HURRY if self.cancellation.why else _CLOSING_SECONDS
        for name, runner in self.runners.items():
            if why := await closing.close(runner, seconds=seconds):
                await self.emit(Warned(message=f"runner {name!r} could not clean up: {why}"))

    def _warm(self) -> WarmStarts:
        return WarmStarts(
            self.supervisor,
            tests=self.plan.tests,
            memory=self.place.output / WARM_FILE,
            folder=self.place.folder / ".warm",
        )

    def _executor(self, leases: Leases, *, warm: WarmStarts | None) -> Executor:
        local = LocalExecutor(
            supervisor=self.supervisor,
            runners=self.runners,
            environ=self.environ,
            redactor=self.redactor,
            clock=self.clock,
            warm=warm,
        )
        packed = PackedExecutor(
            alone=local,
            supervisor=self.supervisor,
            runners=self.runners,
            environ=self.environ,
            redactor=self.redactor,
            clock=self.clock,
        )
        surrounded = SurroundedExecutor(inner=packed, world=self.world, clock=self.clock)
        turns = TurnsExecutor(inner=surrounded, runners=self.runners, clock=self.clock)
        leasing = LeasingExecutor(inner=turns, leases=leases, clock=self.clock, known=self._known)
        return StoringExecutor(inner=leasing, uploads=self.uploads) if self.uploads else leasing

    def _known(self, test: Test) -> Test:
        """With the ports that are known before the services of its slot start."""
        return with_values(test, self.world.ports(phase=test.phase))

    def _leases(self) -> Leases:
        marked = {**self.environ, MARKER: self.place.run_id}
        logs = self.place.folder / _SERVICES
        phases = tuple(
            replace(phase, tests=tuple(map(self._known, phase.tests))) for phase in self.plan.phases
        )
        around = Surrounds(
            plan=replace(self.plan, phases=phases),
            environ=self.environ,
            owner=self.owner,
            rules=self.plan.safeguards,
            migrate=Migration(supervisor=self.supervisor, environ=marked, logs=logs),
        )
        return Leases(around=around, folder=self.place.folder / SLOTS, emit=self.emit)

    def _ground(self) -> Ground:
        return Ground(
            supervisor=self.supervisor,
            environ={**self.environ, MARKER: self.place.run_id},
            run_id=self.place.run_id,
            logs=self.place.folder / _SERVICES,
            output=self.place.output,
            cancellation=self.cancellation,
            emit=self.emit,
        )

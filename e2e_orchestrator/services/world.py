"""All services of a run: who lives how long, what they give to tests, and whether they are well."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.names import file_name
from e2e_orchestrator.model.service import PlannedService, Scope
from e2e_orchestrator.services.ground import Ground
from e2e_orchestrator.services.group import Footing, Group, Place
from e2e_orchestrator.services.instance import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a test in one slot has around it: the ports it may know, the services it leans on."""

    ports: Mapping[str, str]
    instances: Sequence[Instance]


class World:
    """The services of the run come and go with :meth:`up`; those of a phase and of a slot within it."""

    def __init__(self, services: Sequence[PlannedService], *, ground: Ground) -> None:
        self._ground = ground
        self._of = {scope: [service for service in services if service.scope is scope] for scope in Scope}
        self._declared = [port for service in services for port in service.ports]
        self._run = self._group(self._of[Scope.RUN], around={}, place=Place())
        self._phases: dict[str, Group] = {}
        self._slots: dict[int, Group] = {}
        self._starting: dict[int, asyncio.Lock] = {}

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """Everything is gone on leaving. Entering raises InfrastructureError if a service does not get ready."""
        try:
            await self._run.hold(self._run.services)
            yield
        finally:
            await self.end_slots()
            await self._run.stop()
            self._ground.ports.close()

    async def end_slots(self) -> None:
        """The services of all slots are gone on return: before what they stand on is taken away."""
        groups = list(self._slots.values())
        self._slots.clear()
        await asyncio.gather(*(group.stop() for group in groups))

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[str | None]:
        """The services of a phase; yields why its tests cannot start, if they cannot."""
        group = self._group(
            self._serving(Scope.PHASE, name),
            around=self._run.ports,
            place=Place(words=f"phase {name}", folder=f"phase-{file_name(name)}"),
        )
        self._phases[name] = group
        try:
            try:
                await group.hold(group.services)
            except InfrastructureError as error:
                yield error.message
            else:
                yield None
        finally:
            await group.stop()
            del self._phases[name]

    def phase_waits(self, name: str) -> bool:
        return bool(self._serving(Scope.PHASE, name))

    @property
    def broken(self) -> str | None:
        """Why no further test can be trusted, if a service of the run ended for good."""
        return next(map(_ended, self._run.failed), None)

    def broken_in(self, phase: str) -> str | None:
        """Why no further test of a phase can be trusted: those that do not have a service do not mind its end."""
        groups = [self._run, *_present(self._phases.get(phase)), *self._slots.values()]
        failed = (one for group in groups for one in group.failed)
        if ended := next((one for one in failed if one.service.serves(phase)), None):
            return _ended(ended)
        wanted, unready = self._serving(Scope.SLOT, phase), [one for group in groups for one in group.unready]
        return next((why for services, why in unready if services == wanted), None)

    def described(self) -> list[str]:
        """Each service that is there, with its ports and its log."""
        said = []
        for group in (self._run, *self._slots.values()):
            for one in group.instances:
                ports = "".join(f" {name}={group.ports[name]}" for name in one.service.ports)
                said.append(f"{one.label}{ports} (log {one.log})")
        return said

    def ports(self, *, phase: str) -> Mapping[str, str]:
        """Those that all tests of a phase may know, whatever their slot."""
        group = self._phases.get(phase)
        return {**self._run.ports, **(group.ports if group else {})}

    def has_slots(self, phase: str) -> bool:
        """Whether two slots have not the same around them in a phase."""
        return bool(self._serving(Scope.SLOT, phase))

    async def around(self, slot: int, *, phase: str, footing: Footing) -> Around:
        """What the tests of a phase get in a slot; its own services are started when the first of them asks.

        They stand on ``footing``, and change with it. Raises InfrastructureError if something of it is not
        there and will not be.
        """
        serving = self._serving(Scope.SLOT, phase)
        if serving:
            async with self._starting.setdefault(slot, asyncio.Lock()):
                await self._hold(slot, serving, phase=phase, footing=footing)
        own = self._slots.get(slot) if serving else None
        groups = [self._run, *_present(self._phases.get(phase)), *_present(own)]
        instances = [one for group in groups for one in group.instances if one.service.serves(phase)]
        for instance in instances:
            await instance.settled()
        if broken := self.broken_in(phase):
            raise InfrastructureError(broken)
        ports = {name: port for group in groups for name, port in group.ports_in(phase).items()}
        return Around(ports=ports, instances=instances)

    def _serving(self, scope: Scope, phase: str) -> list[PlannedService]:
        return [service for service in self._of[scope] if service.serves(phase)]

    async def _hold(
        self, slot: int, serving: Sequence[PlannedService], *, phase: str, footing: Footing
    ) -> None:
        if self.broken_in(phase):  # Nobody is going to use what would be started.
            return
        if slot not in self._slots:
            place = Place(words=f"slot {slot}", folder=f"slot-{slot}")
            self._slots[slot] = self._group(self._of[Scope.SLOT], around=self._run.ports, place=place)
        await self._slots[slot].hold(serving, footing=footing)

    def _group(self, services: Sequence[PlannedService], *, around: Mapping[str, str], place: Place) -> Group:
        return Group(services, ground=self._ground, around=around, declared=self._declared, place=place)


def _ended(instance: Instance) -> str:
    return f"service {instance.label!r}: {instance.failure}"


def _present(group: Group | None) -> list[Group]:
    return [group] if group else []

"""All services of a run: who lives how long, what they give to tests, and whether they are well."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.names import file_name
from e2e_orchestrator.model.service import PlannedService, Scope
from e2e_orchestrator.services.ground import Ground
from e2e_orchestrator.services.group import Group, Place
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
        self._run = self._group(Scope.RUN, around={}, place=Place())
        self._phases: dict[str, Group] = {}
        self._slots: dict[int, Group] = {}
        self._slot_failures: dict[int, str] = {}
        self._starting: dict[int, asyncio.Lock] = {}

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """Everything is gone on leaving. Entering raises InfrastructureError if a service does not get ready."""
        try:
            await self._run.start()
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
            Scope.PHASE,
            around=self._run.ports,
            place=Place(words=f"phase {name}", folder=f"phase-{file_name(name)}"),
        )
        self._phases[name] = group
        try:
            try:
                await group.start()
            except InfrastructureError as error:
                yield error.message
            else:
                yield None
        finally:
            await group.stop()
            del self._phases[name]

    @property
    def phases_wait(self) -> bool:
        return bool(self._of[Scope.PHASE])

    @property
    def broken(self) -> str | None:
        """Why no further test can be trusted, if a service ended for good."""
        groups = [self._run, *self._phases.values(), *self._slots.values()]
        failed = (one for group in groups for one in group.instances if one.failure)
        first = next(failed, None)
        if first:
            return f"service {first.label!r}: {first.failure}"
        return next(iter(self._slot_failures.values()), None)

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

    @property
    def has_slots(self) -> bool:
        """Whether two slots have not the same around them."""
        return bool(self._of[Scope.SLOT])

    async def around(self, slot: int, *, phase: str, owned: Mapping[str, str]) -> Around:
        """What the tests of a phase get in a slot; its own services are started when the first of them asks.

        ``owned`` are the variables of what the slot owns alone; its services get them too. Raises
        InfrastructureError if something of it is not there and will not be.
        """
        if self.has_slots:
            async with self._starting.setdefault(slot, asyncio.Lock()):
                await self._start_slot(slot, owned)
        groups = [self._run, *_present(self._phases.get(phase)), *_present(self._slots.get(slot))]
        instances = [one for group in groups for one in group.instances]
        for instance in instances:
            await instance.settled()
        if self.broken:
            raise InfrastructureError(self.broken)
        ports = {name: port for group in groups for name, port in group.ports.items()}
        return Around(ports=ports, instances=instances)

    async def _start_slot(self, slot: int, owned: Mapping[str, str]) -> None:
        """Again, if the slot has come to own something else meanwhile."""
        there = self._slots.get(slot)
        if there and (slot in self._slot_failures or there.owned == owned):
            return
        if there:
            await there.stop()
        place = Place(words=f"slot {slot}", folder=f"slot-{slot}")
        group = self._slots[slot] = self._group(Scope.SLOT, around=self._run.ports, place=place, owned=owned)
        try:
            await group.start()
        except InfrastructureError as error:
            self._slot_failures[slot] = error.message
            raise
        except asyncio.CancelledError:  # What is half there is of no use to the next test.
            self._slot_failures[slot] = f"the services of {place.words} were not ready in time"
            raise

    def _group(
        self, scope: Scope, *, around: Mapping[str, str], place: Place, owned: Mapping[str, str] | None = None
    ) -> Group:
        return Group(
            self._of[scope],
            ground=self._ground,
            around=around,
            declared=self._declared,
            place=place,
            owned=owned or {},
        )


def _present(group: Group | None) -> list[Group]:
    return [group] if group else []

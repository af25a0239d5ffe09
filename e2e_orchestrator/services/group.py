"""The services of one scope: started in the order of their needs, side by side where they can be."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.names import file_name
from e2e_orchestrator.model.service import PlannedService
from e2e_orchestrator.services.ground import Ground
from e2e_orchestrator.services.instance import Instance
from e2e_orchestrator.services.texts import with_ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Of which instances there may be many: ``words`` for people, ``folder`` for their logs."""

    words: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """What services stand on: ``owned`` are variables of what their slot owns, which win over the file's.

    ``renewals`` is how often any of that has been made: what a task wrote before the last time is gone.
    """

    owned: Mapping[str, str] = field(default_factory=dict)
    renewals: int = 0


class Group:
    """Some of ``services``: which of them is said by :meth:`hold`, again whenever others are wanted.

    ``ports`` are those of all of them, there or not, and those around: who stays while another comes has been
    told its port. ``declared`` are all that the file knows.
    """

    def __init__(
        self,
        services: Sequence[PlannedService],
        *,
        ground: Ground,
        around: Mapping[str, str],
        declared: Sequence[str],
        place: Place,
    ) -> None:
        self._ground, self._place = ground, place
        self.services = services
        self._around, self._declared = around, declared
        self._footing = Footing()
        self.ports: dict[str, str] = dict(around)
        self.instances: list[Instance] = []
        self._lost: list[Instance] = []
        self.unready: list[tuple[Sequence[PlannedService], str]] = []

    @property
    def failed(self) -> list[Instance]:
        """Those of which there will be no more, also if the group has let go of them."""
        return [one for one in (*self._lost, *self.instances) if one.failure]

    def ports_in(self, phase: str) -> Mapping[str, str]:
        """What the tests of a phase may know of them."""
        own = {name for one in self.services if one.serves(phase) for name in one.ports}
        return {name: port for name, port in self.ports.items() if name in own or name in self._around}

    async def hold(self, services: Sequence[PlannedService], *, footing: Footing | None = None) -> None:
        """Returns when exactly these are ready. Raises InfrastructureError for the first that never will be.

        Whatever else was there is stopped before, but a task that was done stays done, until what it wrote is gone.
        ``unready`` has those whose start failed or was cancelled, and why: there is no use in asking for the same again.
        """
        footing = footing or Footing()
        await self._stop(self._leaving(services, footing))
        if (
            footing.renewals != self._footing.renewals
        ):  # Who leans on a task goes on: it finds it done once more.
            await self._stop([one for one in self.instances if one.service.task is not None])
        there = {one.service.name for one in self.instances}
        missing = [one for one in services if one.name not in there]
        self._footing = footing
        try:
            await self._start(missing)
        except InfrastructureError as error:
            self.unready.append((services, error.message))
            raise
        except asyncio.CancelledError:
            self.unready.append((services, f"the services of {self._place.words} were not ready in time"))
            raise

    async def stop(self) -> None:
        await self._stop(list(self.instances))

    def _leaving(self, services: Sequence[PlannedService], footing: Footing) -> list[Instance]:
        """Who is of no use any more, or not wanted, and whoever needs one of those."""
        if footing.owned != self._footing.owned:
            return list(self.instances)
        wanted = {one.name for one in services}
        leaving = {one.service.name for one in self.instances if not _stays(one, wanted)}
        all_of_them = _and_who_needs_them(leaving, self.instances)
        return [one for one in self.instances if one.service.name in all_of_them]

    async def _stop(self, leaving: Sequence[Instance]) -> None:
        """Each after those that need it."""
        stopped = {instance.service.name: asyncio.Event() for instance in leaving}
        async with asyncio.TaskGroup() as stopping:
            for instance in leaving:
                before = [other.service for other in leaving if instance.service.name in other.service.needs]
                stopping.create_task(self._stop_one(instance, stopped, before=before))

    async def _stop_one(
        self, instance: Instance, stopped: Mapping[str, asyncio.Event], *, before: Sequence[PlannedService]
    ) -> None:
        try:
            for other in before:
                await stopped[other.name].wait()
            await instance.stop()
            self.instances.remove(instance)
            if instance.failure:
                self._lost.append(instance)
        finally:
            stopped[instance.service.name].set()

    async def _start(self, services: Sequence[PlannedService]) -> None:
        if not self.instances:
            own = {name: str(self._ground.ports.take()) for one in self.services for name in one.ports}
            self.ports = {**self._around, **own}
        ready = {service.name: asyncio.Event() for service in services}
        try:
            async with asyncio.TaskGroup() as starting:
                for service in services:
                    starting.create_task(self._start_one(service, ready))
        except* InfrastructureError as errors:
            raise errors.exceptions[0] from None

    async def _start_one(self, service: PlannedService, ready: Mapping[str, asyncio.Event]) -> None:
        for need in service.needs:
            if need in ready:  # The others are there: of a wider scope, or from before.
                await ready[need].wait()
        unknown = set(self._declared) - self.ports.keys()
        mine = replace(service, env={**service.env, **self._footing.owned})
        instance = Instance(
            with_ports(mine, self.ports, unknown=unknown),
            label=f"{service.name} ({self._place.words})" if self._place.words else service.name,
            log=self._folder / f"{file_name(service.name)}.log",
            ground=self._ground,
        )
        self.instances.append(instance)
        await instance.start()
        ready[service.name].set()

    @property
    def _folder(self) -> Path:
        return self._ground.logs / self._place.folder if self._place.folder else self._ground.logs


def _and_who_needs_them(names: AbstractSet[str], instances: Sequence[Instance]) -> AbstractSet[str]:
    """However far the way is, since who needs one that needs one of them leans on that too."""
    more = {one.service.name for one in instances if not names.isdisjoint(one.service.needs)}
    return names if more <= names else _and_who_needs_them(names | more, instances)


def _stays(instance: Instance, wanted: AbstractSet[str]) -> bool:
    """What a task has done is there without costing anything, also while nobody asks for it."""
    is_wanted = instance.service.name in wanted or instance.service.task is not None
    return is_wanted and instance.stands

"""The services of one scope: started in the order of their needs, side by side where they can be."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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


class Group:
    """``ports`` are its own and those around it; ``declared`` all that the file knows.

    ``owned`` are variables of what the services' slot owns, which win over the file's.
    """

    def __init__(  # noqa: PLR0913 - what it starts, and what that stands on.
        self,
        services: Sequence[PlannedService],
        *,
        ground: Ground,
        around: Mapping[str, str],
        declared: Sequence[str],
        place: Place,
        owned: Mapping[str, str],
    ) -> None:
        self._ground, self._place, self.owned = ground, place, owned
        self._services = services
        self._around, self._declared = around, declared
        self.ports: dict[str, str] = dict(around)
        self.instances: list[Instance] = []

    async def start(self) -> None:
        """Returns when all are ready. Raises InfrastructureError for the first that never will be."""
        own = {name: str(self._ground.ports.take()) for one in self._services for name in one.ports}
        self.ports = {**self._around, **own}
        ready = {service.name: asyncio.Event() for service in self._services}
        try:
            async with asyncio.TaskGroup() as starting:
                for service in self._services:
                    starting.create_task(self._start(service, ready))
        except* InfrastructureError as errors:
            raise errors.exceptions[0] from None

    async def stop(self) -> None:
        """Each after those that need it."""
        stopped = {instance.service.name: asyncio.Event() for instance in self.instances}
        async with asyncio.TaskGroup() as stopping:
            for instance in self.instances:
                stopping.create_task(self._stop(instance, stopped))

    async def _stop(self, instance: Instance, stopped: Mapping[str, asyncio.Event]) -> None:
        try:
            for other in self.instances:
                if instance.service.name in other.service.needs:
                    await stopped[other.service.name].wait()
            await instance.stop()
        finally:
            stopped[instance.service.name].set()

    async def _start(self, service: PlannedService, ready: Mapping[str, asyncio.Event]) -> None:
        for need in service.needs:
            if need in ready:  # Those of a wider scope are there.
                await ready[need].wait()
        unknown = set(self._declared) - self.ports.keys()
        mine = replace(service, env={**service.env, **self.owned})
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

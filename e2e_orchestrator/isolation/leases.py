"""What each slot of a run owns: made when a test first wants it, reset as it asks, removed at the end."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.address import Kind
from e2e_orchestrator.isolation.bases import Key, Surrounds, all_bases, bases_of
from e2e_orchestrator.isolation.directory import SlotDirectory
from e2e_orchestrator.isolation.driver import Base, CannotIsolate, Driver, World
from e2e_orchestrator.isolation.ports import SlotPorts
from e2e_orchestrator.isolation.resets import LastUse, is_due
from e2e_orchestrator.model.command import AttemptSpec
from e2e_orchestrator.model.events import LeaseAcquired, LeaseReleased, Warned
from e2e_orchestrator.model.isolation import Fallback, Isolation, RedisIsolation
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.protocols import Emit

_PORTS, _DIRECTORY = "ports", "directory"

# Modules and classes by kind. Imported when a plan wants them: psycopg alone takes 60 ms, PyMySQL 25 ms.
_DRIVERS = {
    Kind.POSTGRES: ("e2e_orchestrator.isolation.postgres", "PostgresDriver", "postgres"),
    Kind.MYSQL: ("e2e_orchestrator.isolation.mysql", "MysqlDriver", "mysql"),
    Kind.SQLITE: ("e2e_orchestrator.isolation.sqlite", "SqliteDriver", None),
    Kind.REDIS: ("e2e_orchestrator.isolation.redis", "RedisDriver", None),
}


def driver_for(base: Base, *, mode: RedisIsolation | None = None) -> Driver:
    """Raises CannotIsolate for what nothing here clones, or if the extra that it needs is not installed."""
    if base.address.kind is Kind.OTHER:
        raise CannotIsolate(
            f"{base.address.scheme}:// leads to nothing that can be cloned here",
            hint="for a server of each slot's own: a service with `scope: slot`",
        )
    module, name, extra = _DRIVERS[base.address.kind]
    try:
        made = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        raise CannotIsolate(
            f"{base.variable}: {error.name} is not installed, so {base.address.kind} databases cannot be cloned",
            hint=f"pip install 'e2e-orchestrator[{extra}]'",
        ) from None
    driver: Driver = made(base) if mode is None else made(base, mode=mode)
    return driver


@dataclass(slots=True)
class _Held:
    """One thing that a slot owns; ``broken`` if it could not be made or reset, and may exist by halves.

    ``shares`` if it could not be cloned for this slot, whose tests take turns with others on the base.
    """

    world: World | None = None
    last: LastUse | None = None
    broken: bool = False
    shares: bool = False


@dataclass(slots=True, kw_only=True)
class Leases:
    """Entering asks every server that answers for permission; leaving removes everything.

    Entering raises CannotIsolate where a test says ``fallback: error``, and SafeguardRefused for what is
    not known to be a test database.
    """

    around: Surrounds
    folder: Path
    emit: Emit
    _drivers: dict[Key, Driver] = field(default_factory=dict)
    _bases: dict[Key, Base] = field(default_factory=dict)
    _shared: dict[Key, asyncio.Lock] = field(default_factory=dict)
    _held: dict[tuple[int, Key | str], _Held] = field(default_factory=dict)
    _renewals: Counter[int] = field(default_factory=Counter)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ports: SlotPorts = field(default_factory=SlotPorts)

    async def __aenter__(self) -> Self:
        try:
            for key, base in all_bases(self.around).items():
                try:
                    await self._open(key, base)
                except CannotIsolate:
                    raise
                except InfrastructureError:
                    continue  # A service that comes later may be what answers there; the tests will see.
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def ready(self, test: Test, spec: AttemptSpec, turn: AsyncExitStack) -> Mapping[str, str]:
        """What :meth:`environment` gives; what could not be cloned the test has to itself until ``turn`` ends.

        That something cannot be cloned may come to light only while it is made: then once more, in turn.
        """
        while True:
            locks = self._locks(test, spec.slot)
            async with AsyncExitStack() as stack:
                for lock in locks:  # All in the order of the plan: two tests cannot wait for each other.
                    await stack.enter_async_context(lock)
                environment = await self.environment(test, spec)
                if self._locks(test, spec.slot) == locks:
                    await turn.enter_async_context(stack.pop_all())
                    return environment

    async def environment(self, test: Test, spec: AttemptSpec) -> Mapping[str, str]:
        """What the test's slot owns, ready for this attempt: variables to add to the test's own.

        Raises InfrastructureError or SafeguardRefused if it cannot be had.
        """
        isolation = test.isolation
        if isolation is None:
            return {}
        environment: dict[str, str] = {}
        for key, base in bases_of(test, self.around).items():
            driver = self._drivers.get(key) or await self._open(key, base)
            if driver is not None:
                environment |= await self._database(driver, key, test, spec)
        if isolation.ports:
            environment |= await self._slot_ports(spec.slot, isolation)
        if isolation.directory:
            environment |= await self._directory(isolation.directory, test, spec)
        return environment

    def owned_by(self, slot: int) -> Mapping[str, str]:
        """The variables of all that the slot owns by now: what else belongs to it, such as a service, may lean on it."""
        worlds = [held.world for (owner, _), held in self._held.items() if owner == slot and held.world]
        owned = {name: value for world in worlds for name, value in world.environment.items()}
        return owned | self._ports.owned_by(slot)

    def renewals(self, slot: int) -> int:
        """How often something that the slot owns has been made or reset by now."""
        return self._renewals[slot]

    def _locks(self, test: Test, slot: int) -> list[asyncio.Lock]:
        try:
            wanted = bases_of(test, self.around)
        except InfrastructureError:
            return []  # Said with the attempt.
        return [self._shared[key] for key in self._bases if key in wanted and self._shares(slot, key)]

    def _shares(self, slot: int, key: Key) -> bool:
        held = self._held.get((slot, key))
        return key in self._shared and (key not in self._drivers or bool(held and held.shares))

    async def _open(self, key: Key, base: Base) -> Driver | None:
        """None if it cannot be cloned, and the tests are content with taking turns."""
        async with self._opening:
            if key in self._bases:
                return self._drivers.get(key)
            numbered = replace(base, number=len(self._bases) + 1, warn=self._warn)
            self._bases[key] = numbered
            driver: Driver | None = None
            try:
                driver = driver_for(numbered, mode=key.mode)
                await driver.examine()
            except CannotIsolate as error:
                if driver:
                    await driver.close()
                try:
                    await self._fall_back(key, error)
                except CannotIsolate:
                    del self._bases[key]  # The next test must not take it for one that is shared.
                    raise
                return None
            except BaseException:
                del self._bases[key]  # Nobody may use what was not proven; who asks next proves it anew.
                if driver:
                    await driver.close()
                raise
            self._drivers[key] = driver
            return driver

    async def _fall_back(self, key: Key, error: CannotIsolate) -> None:
        """Nothing was asked about the base of what is built, which may be any database: nobody gets it instead."""
        hint = f" To change that: {error.hint}" if error.hint else ""
        if self._bases[key].source.is_built:
            raise CannotIsolate(f"{key.variable} cannot be built: {error.message}.{hint}") from None
        for test in self.around.plan.tests:
            isolation = None if test.condition else test.isolation
            if isolation and isolation.fallback is Fallback.ERROR and key in _keys(test, self.around):
                raise CannotIsolate(
                    f"{key.variable} is not isolated: {error.message}, and {test.id} says `fallback: error`.{hint}"
                ) from None
        if key in self._shared:
            return  # Said when the first slot went without.
        self._shared[key] = asyncio.Lock()
        some = key in self._drivers
        await self._warn(
            f"{key.variable} is not isolated{' in every slot' if some else ''}: {error.message}. "
            f"Tests {'of slots that have none' if some else 'that want it'} run one after the other on the one "
            f"database.{hint}"
        )

    async def _warn(self, message: str) -> None:
        await self.emit(Warned(message=message))

    async def _database(self, driver: Driver, key: Key, test: Test, spec: AttemptSpec) -> Mapping[str, str]:
        held = self._held.setdefault((spec.slot, key), _Held())
        if held.shares:
            return {}
        began, is_first = time.monotonic(), held.last is None
        resets = held.world is not None and is_due(held.last, test=test, number=spec.number)
        held.last = LastUse(phase=test.phase)
        if held.world is None or resets or held.broken:
            try:
                if held.broken:
                    await driver.release(spec.slot)
                    held.world = None
                held.broken = True
                world = await (driver.reset(spec.slot) if held.world else driver.make(spec.slot))
            except CannotIsolate as error:
                if not is_first:  # Its services may still use what it had: nobody may use anything else.
                    raise
                await self._fall_back(key, error)
                held.shares = True
                return {}
            except OSError as error:
                raise InfrastructureError(f"{key.variable} could not be isolated: {error}") from error
            held.world, held.broken = world, False
            await self._tell(spec.slot, key.variable, world.name, since=began, reset=resets)
        return held.world.environment

    async def _slot_ports(self, slot: int, isolation: Isolation) -> Mapping[str, str]:
        began = time.monotonic()
        new, ports = self._ports.of(slot, isolation.ports)
        if new:
            self._held[slot, _PORTS] = _Held()
            named = ", ".join(f"{variable}={port}" for variable, port in ports.items())
            await self._tell(slot, _PORTS, named, since=began)
        return ports

    async def _directory(self, variable: str, test: Test, spec: AttemptSpec) -> Mapping[str, str]:
        held = self._held.setdefault((spec.slot, _DIRECTORY), _Held())
        directory = SlotDirectory(self.folder / str(spec.slot))
        began = time.monotonic()
        is_new = held.last is None
        if is_new or is_due(held.last, test=test, number=spec.number):
            await asyncio.to_thread(directory.empty)
            await self._tell(spec.slot, _DIRECTORY, str(directory.path), since=began, reset=not is_new)
        held.last = LastUse(phase=test.phase)
        held.world = World(name=str(directory.path), environment={variable: str(directory.path)})
        return held.world.environment

    async def _tell(self, slot: int, resource: str, name: str, *, since: float, reset: bool = False) -> None:
        self._renewals[slot] += 1
        took = time.monotonic() - since
        await self.emit(LeaseAcquired(slot=slot, resource=resource, name=name, duration=took, reset=reset))

    async def close(self) -> None:
        """Whatever cannot be removed is named in an event, and left to ``clean``."""
        await asyncio.gather(
            *(self._release(slot, key) for slot, key in self._held),
            *(self._leave(key, driver) for key, driver in self._drivers.items()),
        )
        self._held.clear()
        self._drivers.clear()
        self._ports.close()
        with suppress(OSError):  # Never made, or something is left in it.
            self.folder.rmdir()

    async def _leave(self, key: Key, driver: Driver) -> None:
        try:
            await driver.close()
        except Exception as error:  # noqa: BLE001 - the others are to be removed all the same.
            await self._warn(f"{key.variable}: {error}; `e2e-orchestrate clean` removes what is left")

    async def _release(self, slot: int, key: Key | str) -> None:
        held, began, message = self._held[slot, key], time.monotonic(), None
        name = held.world.name if held.world else str(slot)
        try:
            if isinstance(key, Key):
                await self._drivers[key].release(slot)
            elif key == _DIRECTORY:
                await asyncio.to_thread(SlotDirectory(self.folder / str(slot)).remove)
        except SafeguardRefused as refusal:  # What is not known to be ours `clean` does not touch either.
            message = str(refusal)
        except Exception as error:  # noqa: BLE001 - the others are to be removed all the same.
            message = f"{error}; `e2e-orchestrate clean` removes it"
        resource = key.variable if isinstance(key, Key) else key
        took = time.monotonic() - began
        await self.emit(
            LeaseReleased(slot=slot, resource=resource, name=name, duration=took, message=message)
        )


def _keys(test: Test, around: Surrounds) -> list[Key]:
    try:
        return list(bases_of(test, around))
    except InfrastructureError:
        return []

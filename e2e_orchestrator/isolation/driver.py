"""What every kind of database offers to leases, and what it is told about the run."""

import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.address import Address
from e2e_orchestrator.isolation.names import Marker, clone_name
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase
from e2e_orchestrator.model.safeguards import Safeguards


class CannotIsolate(InfrastructureError):  # noqa: N818 - it names what a fallback is for.
    """The server is there and answers, but nothing can be cloned on it: ``fallback`` says what then."""


# Runs the command that builds a schema, with its database in the variable. Raises InfrastructureError.
Migrate = Callable[[PlannedDatabase, str], Awaitable[None]]


async def no_migration(source: PlannedDatabase, url: str) -> None:
    """Stands in where there is no run, and so nothing to migrate."""


# Tells the reader of the run something that does not stop it.
Warn = Callable[[str], Awaitable[None]]


async def no_warning(message: str) -> None:
    """Stands in where nobody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The run that owns what is made; ``folder`` is its own, absolute, on ``host``."""

    run_id: str
    folder: Path
    host: str = field(default_factory=socket.gethostname)

    def marker(self, kind: str, *, sealed: bool = False, source: str = "") -> Marker:
        return Marker(
            run_id=self.run_id,
            kind=kind,
            host=self.host,
            folder=str(self.folder),
            sealed=sealed,
            source=source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Where clones come from: an address, what builds its schema, whether rows come along."""

    variable: str
    address: Address
    source: PlannedDatabase
    data: CopiedData
    owner: Owner
    rules: Safeguards
    migrate: Migrate = no_migration
    warn: Warn = no_warning
    number: int = 1

    def name(self, part: int | str) -> str:
        """Of a database of this run; ``number`` tells two bases of the same name apart."""
        which = part if self.number == 1 else f"{part}_b{self.number}"
        return clone_name(self.address.database, run_id=self.owner.run_id, part=which)

    async def tell_of_stranger(self, name: str, *, remove: str) -> None:
        """Of a database where the template should be that is kept; ``remove`` is the statement that is not ours to use."""
        await self.warn(
            f"{self.variable}: there is a database {name!r} already, and it does not say that it is ours: a run that "
            f"was killed may have left it. It stays as it is; until it is gone, each run builds a template of its own "
            f"and removes it. If nobody needs it: {remove}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What one slot has of one base: a name for reports, and what its tests get."""

    name: str
    environment: Mapping[str, str]


class Driver(Protocol):
    """One base on one server, for the length of a run. Calls for different slots may overlap."""

    async def examine(self) -> None:
        """Connects and asks for permission, before any test starts.

        Raises CannotIsolate with the exact statement that is missing, SafeguardRefused for a base that is
        not known to be a test database, InfrastructureError if the server does not answer.
        """
        ...

    async def make(self, slot: int) -> World: ...

    async def reset(self, slot: int) -> World:
        """The same name, with what the base had."""
        ...

    async def release(self, slot: int) -> None: ...

    async def close(self) -> None:
        """Removes what the run still has on the server, and leaves it."""
        ...


# Whether the run that a marker names has ended, as far as this machine can tell; true for one of another host.
Dead = Callable[[Marker], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """What a dead run left on a server; ``remove`` proves once more that it is one before it does."""

    name: str
    where: str
    run_id: str
    remove: Callable[[], Awaitable[None]] = field(compare=False)

"""What a slot may own alone: the words of ``isolation:`` and ``databases:`` in phases.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

USUAL_FOLDER = "E2E_SLOT_DIR"
"""The variable that names a slot's folder, where nobody says another one."""


class DatabaseIsolation(StrEnum):
    CLONE = "clone"
    SHARED = "shared"


class RedisIsolation(StrEnum):
    """A numbered database of its own, or keys that start with a prefix of its own."""

    INDEX = "index"
    PREFIX = "prefix"
    SHARED = "shared"


class Reset(StrEnum):
    """Before which attempts a slot's world is made anew."""

    PER_TEST = "per_test"
    PER_PHASE = "per_phase"
    ON_RETRY = "on_retry"
    NEVER = "never"


class CopiedData(StrEnum):
    """Whether a clone has the rows of its base, or its schema alone."""

    COPY = "copy"
    NONE = "none"


class Fallback(StrEnum):
    """What happens where a database cannot be cloned."""

    SEQUENTIAL = "sequential"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What the slot of a test owns while it runs.

    ``ports`` are the variables that name them, ``directory`` the variable that names the slot's folder: empty
    if it has none.
    """

    database: DatabaseIsolation = DatabaseIsolation.SHARED
    redis: RedisIsolation = RedisIsolation.SHARED
    ports: tuple[str, ...] = ()
    directory: str = ""
    reset: Reset = Reset.PER_TEST
    data: CopiedData = CopiedData.COPY
    fallback: Fallback = Fallback.SEQUENTIAL

    @property
    def wants_anything(self) -> bool:
        return bool(
            self.ports
            or self.directory
            or self.database is DatabaseIsolation.CLONE
            or self.redis is not RedisIsolation.SHARED
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDatabase:
    """A base whose address tests find in ``variable``; ``url`` is None where their environment says it.

    Clones are made of the base itself, or of what ``sql`` (a file, absolute) and then ``migrate`` (a command
    in the folder ``cwd``, with the file's ``env``) build. ``schema_files`` are what that depends on: while they are the same, what
    was built is kept from run to run.
    """

    variable: str
    url: str | None = None
    sql: str | None = None
    migrate: tuple[str, ...] = ()
    cwd: str = "."
    env: Mapping[str, str] = field(default_factory=dict)
    schema_files: tuple[str, ...] = ()

    @property
    def is_built(self) -> bool:
        return bool(self.sql or self.migrate)

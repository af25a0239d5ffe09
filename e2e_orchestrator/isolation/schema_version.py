"""Which schema a template has: the same version is built once and kept from run to run."""

import hashlib
from pathlib import Path

from e2e_orchestrator.isolation.driver import Base
from e2e_orchestrator.model.isolation import PlannedDatabase

_DIGITS = 12


def fingerprint(base: Base, *, server: str) -> str | None:
    """Hex digits for all that the schema depends on; None if nobody can know that.

    A base may change at any time, and so may what a command does, unless ``schema_files`` say otherwise.
    """
    source = base.source
    if not is_kept(source):
        return None
    files = sorted({*source.schema_files, *([source.sql] if source.sql else [])})
    parts = [server, origin(base), base.data, *source.migrate]
    parts += [f"{file}\0{hashlib.sha256(Path(file).read_bytes()).hexdigest()}" for file in files]
    return _digest(*parts)


def is_kept(source: PlannedDatabase) -> bool:
    """Whether what it builds can be told from another version of it."""
    return source.is_built and bool(source.schema_files or not source.migrate)


def origin(base: Base) -> str:
    """What stays the same when the schema gets a new version: so the old one can be found and removed."""
    source = base.source
    return _digest(
        base.variable, base.address.database, base.data, source.cwd, str(source.sql), *source.migrate
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]

"""How many earlier runs stay; apart from their removal, so that whoever only plans loads nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Limits that hold together; None is no limit. ``size`` in bytes, of all runs together."""

    runs: int | None = 20
    days: int | None = 30
    size: int | None = None

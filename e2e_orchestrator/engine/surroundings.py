"""Tests that lean on nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class NoSurroundings:
    """What there is around tests without services."""

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[str | None]:  # noqa: ARG002 - every phase is alike.
        yield None

    @property
    def broken(self) -> str | None:
        return None

    def broken_in(self, phase: str) -> str | None:  # noqa: ARG002 - every phase is alike.
        return None

    def phase_waits(self, name: str) -> bool:  # noqa: ARG002 - every phase is alike.
        return False

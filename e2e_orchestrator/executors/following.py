"""Reads the stream of cases while it grows, in looks that are never torn apart."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.parsers.case_stream import MOST_BYTES, CaseStreamReader, StreamEvent
from e2e_orchestrator.safety.regular import open_regular

_CHUNK = 1 << 18


@dataclass(slots=True, kw_only=True)
class Following:
    """``tell`` gets every event of the stream once, in order; ``moved`` is when something was last read."""

    events: Path
    tell: Callable[[StreamEvent], Awaitable[None]]
    clock: Clock
    moved: float = 0.0
    _reader: CaseStreamReader = field(default_factory=CaseStreamReader)
    _position: int = 0
    _look: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Reads what is new and tells it. Who is cancelled here leaves the look to :meth:`catch_up`.

        Between reading and telling there are several waits. A look that ended in one of them would lose events.
        """
        self._look = asyncio.create_task(self._read_on())
        await asyncio.shield(self._look)

    async def catch_up(self) -> None:
        """Lets the look under way finish, and has the last one. It leaves no task, even if it is cancelled."""
        if self._look is not None:
            await self._look
        await self._read_on()

    async def _read_on(self) -> None:
        while self._readable and (data := self._new()):
            self._position += len(data)
            self.moved = self.clock.monotonic()
            await self.clock.sleep(0)  # Whoever floods the stream must not stop the others.
            for event in self._reader.feed(data):
                await self.tell(event)

    @property
    def _readable(self) -> bool:
        return self._position < MOST_BYTES and not self._reader.gave_up

    def _new(self) -> bytes:
        """Some of what stands behind the position; empty if nothing does."""
        try:
            with open_regular(self.events) as file:
                file.seek(self._position)
                return file.read(_CHUNK)
        except OSError:
            return b""  # Not there yet, or a test took it away: the judge will say so.

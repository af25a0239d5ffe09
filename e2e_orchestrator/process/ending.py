"""The ending ladder: ask, insist, end. Always the whole process group, never SIGTERM first."""

import asyncio
import signal
from dataclasses import dataclass
from typing import Any

from e2e_orchestrator.process.supervisor import Child


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """Seconds after SIGINT and after SIGTERM before the next step.

    pytest and Playwright write their reports on SIGINT and die without one on SIGTERM, hence the order.
    """

    interrupt: float = 3.0
    terminate: float = 1.0

    @property
    def total(self) -> float:
        return self.interrupt + self.terminate

    def within(self, limit: float) -> "Grace":
        """The same ladder, made to fit: grace is part of a limit, at most a fifth of it."""
        share = min(1.0, limit / 5 / self.total) if self.total else 1.0
        return Grace(interrupt=self.interrupt * share, terminate=self.terminate * share)


async def end(
    child: Child,
    *,
    grace: Grace,
    hurry: asyncio.Event | None = None,
    first: signal.Signals = signal.SIGINT,
) -> bool:
    """Ends a child and all below it; true if it had to be killed. ``hurry`` skips the rest of the grace."""
    for signum, seconds in ((first, grace.interrupt), (signal.SIGTERM, grace.terminate)):
        child.signal(signum)
        if await _gone(child, seconds=seconds, hurry=hurry):
            return False
        if hurry is not None and hurry.is_set():
            break
    child.kill()
    await child.exited()
    return True


async def _gone(child: Child, *, seconds: float, hurry: asyncio.Event | None) -> bool:
    exited = asyncio.ensure_future(child.exited())
    waits: set[asyncio.Future[Any]] = {exited}  # Any: futures of different results wait together.
    if hurry is not None:
        waits.add(asyncio.ensure_future(hurry.wait()))
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return exited.done()
    finally:
        for wait in waits:
            wait.cancel()

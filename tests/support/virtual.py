"""An event loop whose time passes only when nothing else can happen: hours of waiting in no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from e2e_orchestrator.clock import Clock

Result = TypeVar("Result")


class _Selector(selectors.SelectSelector):
    """Instead of waiting for the next timer, moves the clock to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("every task waits for something that will never happen")
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run_virtually(main: Coroutine[Any, Any, Result]) -> Result:
    """Like asyncio.run, with virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def virtual_clock() -> Clock:
    """The engine's clock on the running loop."""
    loop = asyncio.get_running_loop()
    return Clock(monotonic=loop.time, now=lambda: f"2026-01-01T00:00:00+00:00#{loop.time():g}")

"""Misbehaviour on purpose: STUDIO_FAULT breaks the studio in known ways, so that a test run has something to find."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from enum import StrEnum

from starlette.types import ASGIApp, Receive, Scope, Send

SLOW_SECONDS = 3.0
_LEAK_SECONDS = 600


class Fault(StrEnum):
    """What can be broken. The README says which test notices."""

    SLOW = "slow"
    FLAKY = "flaky"
    DOWN = "down"
    BROKEN = "broken"
    CRASH = "crash"
    LEAKY = "leaky"


class UnknownFaultError(ValueError):
    """STUDIO_FAULT names something that is not a fault."""


class Faults:
    """The faults of one API process."""

    def __init__(self, active: frozenset[Fault] = frozenset()) -> None:
        self._active = active
        self._lock = threading.Lock()
        self._flaked = False

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Read a comma-separated list such as `slow,flaky`."""
        names = [name.strip().lower() for name in text.split(",") if name.strip()]
        try:
            return cls(frozenset(Fault(name) for name in names))
        except ValueError as error:
            raise UnknownFaultError(f"STUDIO_FAULT: {error}; known: {', '.join(Fault)}") from None

    def __contains__(self, fault: Fault) -> bool:
        return fault in self._active

    def flakes_now(self) -> bool:
        """Answer true exactly once in the life of a flaky process."""
        if Fault.FLAKY not in self:
            return False
        with self._lock:
            first, self._flaked = not self._flaked, True
        return first


class SlowDown:
    """Delay every request but `/health`, so that the service still becomes ready."""

    def __init__(self, app: ASGIApp, seconds: float = SLOW_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then pass the request on."""
        if scope["type"] == "http" and scope["path"] != "/health":
            await asyncio.sleep(self._seconds)
        await self._app(scope, receive, send)


def leak_a_process() -> None:
    """Start a child in a session of its own and forget it: whoever stops the API has to find it."""
    subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", f"import time; time.sleep({_LEAK_SECONDS})"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

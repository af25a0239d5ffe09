"""Time as a parameter: real by default, scripted in tests."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """``monotonic`` in seconds, never set back; ``now`` is UTC in ISO 8601; ``sleep`` takes seconds."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], str] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

"""Waiting for a condition, with a deadline and never longer than needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def poll(probe: Callable[[], T], *, until: Callable[[T], bool], seconds: float = 10) -> T:
    """Return the first result that satisfies `until`; fail with the last one when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if until(result):
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s; the last answer was {result!r}")
        time.sleep(0.02)

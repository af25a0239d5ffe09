"""When a child's output came: reads the times that the keeper noted beside it.

Such a file has lines of seconds since 1970 and the byte that came then, in the order of the bytes. The clock on the
wall may have been set meanwhile, so that the seconds can go back; the bytes cannot.
"""

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from e2e_orchestrator.safety.regular import open_regular

SUFFIX = ".times"
_LINE = 64
_NEAR = 4 << 10
_MOST = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """``places`` are the bytes at which ``seconds`` were noted; nothing is known from ``until`` on."""

    places: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    until: int | None = None

    def at(self, byte: int) -> float | None:
        """The second in which a byte came, at most a twentieth too early."""
        if self.until is not None and byte >= self.until:
            return None
        found = bisect_right(self.places, byte)
        return self.seconds[found - 1] if found else None

    def first_after(self, seconds: float) -> int | None:
        """The first byte that came later than this."""
        return next(
            (place for place, one in zip(self.places, self.seconds, strict=True) if one > seconds), None
        )


def times_of(path: Path, *, begin: int, end: int) -> Times:
    """Of the output's bytes from ``begin`` to ``end``, by its file of times; nothing if there is none."""
    try:
        with open_regular(path) as file:
            file.seek(_start(file, begin))
            data = file.read(_MOST)
    except OSError:
        return Times()
    places: list[int] = []
    seconds: list[float] = []
    for line in data.split(b"\n"):
        noted = _noted(line)
        if noted and noted[1] >= end:
            return Times(places=tuple(places), seconds=tuple(seconds))
        if noted:
            seconds.append(noted[0])
            places.append(noted[1])
    until = places[-1] if places and len(data) == _MOST else None
    return Times(places=tuple(places), seconds=tuple(seconds), until=until)


def _start(file: BinaryIO, byte: int) -> int:
    """A place in the file of times from which it is not far to the note before a byte."""
    low, high = 0, file.seek(0, 2)
    while high - low > _NEAR:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline(_LINE)
        here = file.tell()
        noted = _noted(file.readline(_LINE))
        if noted and noted[1] <= byte:
            low = here
        else:
            high = middle
    return low


def _noted(line: bytes) -> tuple[float, int] | None:
    """None for a line that is torn, or that the keeper did not write."""
    try:
        seconds, byte = line.split()
        return float(seconds), int(byte)
    except ValueError:
        return None

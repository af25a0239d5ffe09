"""Durations, sizes and worker counts as people write them, in phases.yaml and on the command line alike.

Knows neither pydantic nor click, so that both may use it and ``--help`` pays for neither.
"""

import math
import re

from e2e_orchestrator.model.gates import AtMost
from e2e_orchestrator.model.plan import MaxFailures

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_PART = re.compile(rf"({_NUMBER.pattern})(ms|s|m|h|d)\s*")
_YEAR = 365 * 86400.0
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([kmgt])(i?)b?|b)?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}
UNLIMITED = "unlimited"

SIZE_PATTERN = r"^\s*[0-9]+(\.[0-9]+)?\s*([kKmMgGtT][iI]?[bB]?|[bB])?\s*$"
"""How a size is written, as a regular expression for JSON Schema."""

DURATION_PATTERN = r"^\s*([0-9]*\.?[0-9]+\s*|([0-9]*\.?[0-9]+(ms|s|m|h|d)\s*)+)$"
"""The same syntax as a regular expression for JSON Schema."""


class Refused(ValueError):  # noqa: N818 - named after what happened to the value.
    """What is wrong with a value, worded to follow it: "`5x` is not a duration".

    ``{value}`` at the start of the message stands for the value as it was written: who reports the
    mistake fills it in, or leaves it out where it may be a secret. ``{found}`` stands for its kind.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def parse_duration(text: str | float) -> float:
    """Seconds: ``90`` and ``"90"`` are 90.0, ``"1h30m"`` is 5400.0, ``"250ms"`` is 0.25.

    Raises Refused for anything else, and for more than a year, which is a slip rather than a limit.
    """
    seconds = _sum_of_parts(text) if isinstance(text, str) else float(text)
    if seconds is None or not math.isfinite(seconds):
        raise Refused("{value} is not a duration", hint="write seconds (90) or 250ms, 90s, 5m, 1h30m")
    if seconds < 0:
        raise Refused("{value} is a negative duration", hint="write 0 or more")
    if seconds > _YEAR:
        raise Refused("{value} is longer than a year", hint="a number without a unit counts seconds")
    return seconds


def parse_positive_duration(text: str | float) -> float:
    """Like :func:`parse_duration`, for limits: raises Refused for 0 too."""
    seconds = parse_duration(text)
    if seconds == 0:
        raise Refused("{value} leaves no time at all", hint="write a duration above 0, such as 90s")
    return seconds


def parse_size(text: str | float) -> int:
    """Bytes: ``1GiB`` is 1024 ** 3, ``1GB`` 1000 ** 3, ``500MiB``, ``1.5G``; without a unit it is bytes.

    Raises Refused for anything else, and for 0: that would keep nothing.
    """
    found = _SIZE.fullmatch(str(text).strip())
    if found is None:
        raise Refused("{value} is not a size", hint=f"write 500MiB, 1GiB or {UNLIMITED}")
    number, unit, binary = found.groups()
    size = (
        int(float(number) * (1024 if binary else 1000) ** _POWERS[(unit or "").lower()])
        if unit
        else int(float(number))
    )
    if size < 1:
        raise Refused("{value} leaves room for nothing", hint=f"write 500MiB, 1GiB or {UNLIMITED}")
    return size


def format_size(size: int) -> str:
    """The nearest of B, KiB, MiB, GiB: ``1.5 MiB``."""
    value, units = float(size), ["B", "KiB", "MiB", "GiB"]
    while value >= 1024 and len(units) > 1:  # noqa: PLR2004 - the next unit.
        value /= 1024
        units.pop(0)
    return f"{size} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def _sum_of_parts(text: str) -> float | None:
    text = text.strip().lower()
    if _NUMBER.fullmatch(text):
        return float(text)
    seconds, at, smallest = 0.0, 0, math.inf
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or _UNITS[part[2]] >= smallest:
            return None
        smallest = _UNITS[part[2]]
        seconds += float(part[1]) * smallest
        at = part.end()
    return seconds if text else None


def format_duration(seconds: float) -> str:
    """The shortest way to write it: ``1h30m``, ``90s`` stays ``1m30s``, ``0.25`` is ``250ms``."""
    if seconds == 0:
        return "0s"
    if seconds < 1:
        return f"{seconds * 1000:g}ms"
    whole, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(whole), 60)
    parts = [f"{hours}h"] * (hours > 0) + [f"{minutes}m"] * (minutes > 0)
    if rest or not parts:
        parts.append(f"{round(rest, 3):g}s")
    return "".join(parts)


def parse_max_failures(text: str | int) -> MaxFailures:
    """``N``, ``N:wait`` or ``N:immediate``. Raises Refused for anything else."""
    found = re.fullmatch(r"([0-9]{1,6})(:wait|:immediate)?", str(text).strip().lower())
    if found is None or int(found[1]) < 1:
        hint = "write a whole number from 1, and :immediate behind it to end those that run"
        raise Refused("{value} is not a number of failures", hint=hint)
    return MaxFailures(count=int(found[1]), immediate=found[2] == ":immediate")


def parse_at_most(text: str) -> AtMost:
    """``3`` is a number, ``5%`` a share. Raises Refused for anything else."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(%?)", text.strip())
    if found is None or (not found[2] and "." in found[1]) or (found[2] and float(found[1]) > 100):  # noqa: PLR2004
        raise Refused("{value} is no number and no share", hint="write 3, or 5% of all of them")
    return AtMost(share=float(found[1]) / 100) if found[2] else AtMost(count=int(found[1]))


def parse_percent(text: str) -> float:
    """0 to 100, with or without ``%``. Raises Refused for anything else."""
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%?", text.strip())
    if found is None or float(found[1]) > 100:  # noqa: PLR2004 - that is everything.
        raise Refused("{value} is no percentage", hint="write a number from 0 to 100")
    return float(found[1])


def parse_shard(text: str) -> tuple[int, int]:
    """``i/n``, counted from 1. Raises Refused for anything else."""
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text.strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise Refused("{value} is not a shard", hint="write 1/3 for the first of three, up to 3/3")
    return int(found[1]), int(found[2])


def parse_workers(text: str | int) -> int | None:
    """How many tests may run at once; None for ``auto``. Raises Refused for anything but ``auto`` or N >= 1."""
    if isinstance(text, str):
        text = text.strip().lower()
        if text == "auto":
            return None
        if not re.fullmatch(r"[0-9]{1,6}", text):
            raise Refused("{value} is not a number of workers", hint="write auto, or a whole number from 1")
    if int(text) < 1:
        raise Refused("{value} is not a number of workers", hint="write auto, or a whole number from 1")
    return int(text)

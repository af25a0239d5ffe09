"""Puts parts of different sizes into packs of about the same."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A module: what names its tests, and how many they are."""

    name: str
    labels: tuple[str, ...]
    size: int


def packed(parts: Sequence[Part], *, packs: int) -> list[list[Part]]:
    """At most so many packs, none empty, the largest first; the largest part goes to the emptiest pack."""
    filled: list[list[Part]] = [[] for _ in range(min(packs, len(parts)))]
    for part in sorted(parts, key=lambda one: one.size, reverse=True):
        min(filled, key=_size).append(part)
    return sorted(filled, key=_size, reverse=True)


def _size(pack: Sequence[Part]) -> int:
    return sum(part.size for part in pack)

"""A value in a file that others wrote: taken for what it should be, or refused with its place.

``web/src/data/foreign.ts`` does the same for what is dropped on the page of the HTML report, in the same
words; a table of tests holds the two together.
"""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

_MISSING: Final = object()
_TEXT, _NUMBER, _LIST, _MAPPING = "a text", "a number", "a list", "a mapping"
_LONGEST_SECONDS = 1e10


class OddError(ValueError):
    """Which part is not what it should be, and what that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whoever asks it for a kind of value gets one, or raises OddError; ``where`` is the place in the file."""

    value: Any  # Any: whatever somebody wrote.
    where: str = ""

    def part(self, key: str) -> "Told":
        if not isinstance(self.value, dict):
            raise self._odd(_MAPPING)
        where = f"{self.where}.{key}" if self.where else key
        return Told(value=self.value.get(key, _MISSING), where=where)

    def each(self) -> Iterator["Told"]:
        if not isinstance(self.value, list):
            raise self._odd(_LIST)
        return (Told(value=one, where=f"{self.where}[{at}]") for at, one in enumerate(self.value))

    def text(self) -> str:
        """Valid UTF-8: half a character becomes a question mark, as our own reports write it."""
        if not isinstance(self.value, str):
            raise self._odd(_TEXT)
        return self.value.encode("utf-8", "replace").decode()

    def text_or_nothing(self) -> str:
        """Empty for null, and where there is none."""
        return "" if self._is_nothing else self.text()

    def word(self, words: Collection[str]) -> str:
        """One of these."""
        if not isinstance(self.value, str) or self.value not in words:
            raise self._odd(f"one of {', '.join(words)}", kind=_TEXT)
        return self.value

    def whole(self, *, most: int) -> int:
        """A whole number from 0 on; JSON does not tell 1 from 1.0."""
        value = self._number()
        if value is None or not 0 <= value <= most or value != math.floor(value):
            raise self._odd(f"a whole number from 0 to {most}", kind=_NUMBER)
        return int(value)

    def whole_or_null(self, *, most: int) -> int | None:
        return None if self.value is None else self.whole(most=most)

    def seconds(self) -> float:
        """Zero for null, which stands for what nobody could measure."""
        if self.value is None:
            return 0.0
        value = self._number()
        if value is None or not 0 <= value <= _LONGEST_SECONDS:
            raise self._odd("a number of seconds", kind=_NUMBER)
        return float(value)

    @property
    def _is_nothing(self) -> bool:
        return self.value is None or self.value is _MISSING

    def _number(self) -> int | float | None:
        """None for what is no number; to Python, True is one."""
        return (
            self.value if isinstance(self.value, (int, float)) and not isinstance(self.value, bool) else None
        )

    def _odd(self, expected: str, *, kind: str | None = None) -> OddError:
        where = self.where or "it"
        if self.value is _MISSING:
            return OddError(f"{where} is missing")
        found = _kind(self.value)
        but = "" if found == (kind or expected) else f", but is {found}"
        return OddError(f"{where} must be {expected}{but}")


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return _TEXT
        case int() | float():
            return _NUMBER
        case list():
            return _LIST
        case _:
            return _MAPPING

"""Where console lines go: how much a stream can show, and the plain screen that only ever appends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TextIO

from e2e_orchestrator.reporters.console_line import Line, Style, fitting, harmless

_UNBOUNDED = 1000  # No line of a log is broken, so none has to be short.
_OFF = ("", "0", "false", "no")
_CODES = {
    Style.STRONG: "1",
    Style.DIM: "2",
    Style.GOOD: "32",
    Style.BAD: "31",
    Style.ODD: "33",
    Style.GO: "1;32",
    Style.NO_GO: "1;31",
}


class Screen(Protocol):
    """Takes finished lines, and paints what is running if it can."""

    @property
    def columns(self) -> int: ...

    def put(self, lines: Iterable[Line]) -> None: ...

    def refresh(self, running: Iterable[Line]) -> None:
        """Paints what is running; a screen that only appends ignores it."""
        ...

    def release(self) -> None:
        """Leaves the terminal as usable as it can be while lines may still come."""
        ...

    def close(self) -> None:
        """Takes away what is running; lines may follow."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a stream can show: ``live`` areas that repaint themselves, ``color``."""

    live: bool
    color: bool


def abilities(stream: TextIO, *, color: str, environ: Mapping[str, str]) -> Abilities:
    """``always`` and ``never`` outrank the environment, and NO_COLOR outranks FORCE_COLOR."""
    terminal = _is_terminal(stream) and environ.get("TERM") != "dumb"
    watched = terminal and environ.get("CI", "").lower() in _OFF
    colored = _colored(color, environ=environ, terminal=terminal)
    return Abilities(live=watched and color != "never", color=colored)


def _colored(color: str, *, environ: Mapping[str, str], terminal: bool) -> bool:
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    forced = (environ.get(name, "").lower() for name in ("FORCE_COLOR", "CLICOLOR_FORCE"))
    if any(value not in _OFF for value in forced):
        return True
    return terminal and environ.get("CLICOLOR") != "0"


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # The stream is closed: the first line will say so.
        return False


class PlainScreen:
    """Whole lines and nothing else, for pipes, files and CI servers."""

    def __init__(self, stream: TextIO, *, color: bool) -> None:
        self._stream = stream
        self._color = color
        self._encoding = getattr(stream, "encoding", None) or "utf-8"

    @property
    def columns(self) -> int:
        return _UNBOUNDED

    def put(self, lines: Iterable[Line]) -> None:
        text = "".join(f"{self._rendered(harmless(one))}\n" for one in lines)
        if text:
            self._stream.write(fitting(text, encoding=self._encoding))
            self._stream.flush()

    def refresh(self, running: Iterable[Line]) -> None:
        """Nothing to repaint: what was written stays."""

    def release(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """The stream belongs to the caller."""

    def _rendered(self, one: Line) -> str:
        if not self._color:
            return one.text.rstrip()
        return "".join(f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style else text for text, style in one.spans)

"""The screen for a terminal that somebody watches: finished lines above, what is running below."""

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from e2e_orchestrator.reporters.console_line import Line, fitting, harmless

_NARROWEST = 20


class LiveScreen:
    """Paints with rich, in the caller's own time: no thread of its own."""

    def __init__(self, stream: TextIO, *, color: bool, environ: Mapping[str, str]) -> None:
        # COLUMNS and LINES would pin the size of a terminal that can be resized.
        kept = {name: value for name, value in environ.items() if name not in ("COLUMNS", "LINES")}
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self._console = Console(
            file=stream,
            force_terminal=True,
            color_system="standard" if color else None,
            no_color=not color,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
            _environ=kept,
        )
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            # A word on the standard error of the same terminal would be painted over.
            redirect_stderr=stream is sys.stdout and sys.stderr.isatty(),
        )

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, as the terminal has them now."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns, lines = 80, 24
        return columns or 80, lines or 24

    @property
    def columns(self) -> int:
        return self.size[0]

    def put(self, lines: Iterable[Line]) -> None:
        self._fit()
        for one in lines:
            for text in self._broken(harmless(one)):
                self._console.print(text, soft_wrap=True)

    def refresh(self, running: Iterable[Line]) -> None:
        self._fit()
        columns, rows = self.size
        shown = [self._text(harmless(one)) for one in running][: max(rows - 2, 1)]
        for text in shown:
            text.truncate(columns - 1, overflow="ellipsis" if self._encoding.startswith("utf") else "crop")
        self._live.update(Text("\n").join(shown))
        if not self._live.is_started:
            self._live.start()
        self._live.refresh()

    def release(self) -> None:
        """Gives the cursor back already: who asks twice or thrice to end may leave no time for it later."""
        if self._live.is_started:
            self._console.show_cursor(True)

    def close(self) -> None:
        self._live.stop()

    def _fit(self) -> None:
        columns, rows = self.size
        self._console.size = (columns, rows)

    def _text(self, one: Line) -> Text:
        text = Text(no_wrap=True, end="")
        for span, style in one.spans:
            text.append(fitting(span, encoding=self._encoding), style=style.value)
        return text

    def _broken(self, one: Line) -> list[Text]:
        """A quoted line that is too wide goes on behind a bar of its own.

        One with a word that is too wide, such as a path, is left to the terminal, where it stays whole to be copied.
        """
        columns = max(self.size[0], _NARROWEST)
        text = self._text(one)
        text.end = "\n"
        if not one.hanging or text.cell_len <= columns:
            return [text]
        width = columns - len(one.hanging)
        bar = Text(fitting(one.hanging, encoding=self._encoding), style="dim")
        body = text[len(one.hanging) :]
        if any(cell_len(word) > width for word in body.plain.split()):
            return [text]
        return [bar + part for part in body.wrap(self._console, width, no_wrap=False)]

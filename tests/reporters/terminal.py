"""A clock, a terminal and a context for the console's tests."""

import asyncio
import fcntl
import io
import os
import pty
import re
import struct
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from support import stories

from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.console import ConsoleReporter

OUTPUT = Path("test-results")


class Clock:
    """Time that passes only when a test says so; what sleeps wakes when its time has come."""

    def __init__(self) -> None:
        self.now = 100.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Until nobody is due any more; every task gets its turns in between."""
        await self._settle()
        self.now += seconds
        while due := [one for one in self._sleepers if one[0] <= self.now and not one[1].done()]:
            for _, future in due:
                future.set_result(None)
            await self._settle()

    async def _settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def a_context(
    *, verbosity: int = 0, color: str = "auto", environ: Mapping[str, str] | None = None
) -> ReporterContext:
    return ReporterContext(
        output=OUTPUT,
        run_folder=OUTPUT / "runs" / stories.RUN_ID,
        verbosity=verbosity,
        color=color,
        environ=environ or {},
    )


def printed(
    envelopes: Sequence[Envelope], *, context: ReporterContext | None = None, stream: TextIO | None = None
) -> str:
    stream = stream or io.StringIO()

    async def run() -> None:
        reporter = ConsoleReporter(context or a_context(), stream=stream)
        for envelope in envelopes:
            await reporter.handle(envelope)
        await reporter.close()

    asyncio.run(run())
    return stream.getvalue() if isinstance(stream, io.StringIO) else ""


class Watched:
    """A pseudo terminal that collects what is written to it."""

    def __init__(self, *, columns: int, rows: int = 24) -> None:
        self.master, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w", encoding="utf-8")
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self) -> str:
        self.stream.flush()
        os.set_blocking(self.master, False)
        parts = []
        try:
            while part := os.read(self.master, 65536):
                parts.append(part)
        except OSError:
            pass
        return b"".join(parts).decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self.master)


async def watch(
    watched: Watched, envelopes: Sequence[Envelope], *, at: Sequence[int], color: str = "auto"
) -> tuple[list[str], str]:
    """What the live area shows after those envelopes, and the rest of the output."""
    clock = Clock()
    context = a_context(color=color, environ={"TERM": "xterm-256color", "COLUMNS": "999"})
    reporter = ConsoleReporter(context, stream=watched.stream, clock=clock, sleep=clock.sleep)
    shown = []
    for number, envelope in enumerate(envelopes, 1):
        await reporter.handle(envelope)
        if number in at:
            watched.read()
            await clock.advance(0.2)
            shown.append(watched.read())
    await reporter.close()
    return shown, watched.read()


def _visible(text: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", text)


def visible(text: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", text)

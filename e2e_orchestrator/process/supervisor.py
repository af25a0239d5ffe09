"""The asyncio side of the keeper: starts children through it and hears how they end."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from e2e_orchestrator.model.outcomes import Leak
from e2e_orchestrator.process.came import SUFFIX

_KEEPER = Path(__file__).with_name("keeper.py")
LONGEST_MESSAGE = 1 << 22
_SHUTDOWN_SECONDS = 4.0
_CONFIRM_SECONDS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """``exit_status`` is negative for a signal and None if nobody could see how the child ended.

    ``output_lost`` says why the end of the output is missing from its file.
    """

    exit_status: int | None
    leaked: tuple[Leak, ...] = ()
    start_error: str | None = None
    output_lost: str | None = None


@dataclass(slots=True, kw_only=True)
class Line:
    """Our end of the socket to a tender; ``tender`` is its pid as soon as it has said so."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tender: int | None = None


class Child:
    """A started process and everything below it. ``give_back`` gets the line if its tender is free again."""

    def __init__(self, line: Line, *, give_back: Callable[[Line], None]) -> None:
        self.pid: int | None = None
        self._line, self._give_back = line, give_back
        self._ready = False
        self._lost: asyncio.TimerHandle | None = None
        self._exited: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._ended = asyncio.create_task(self._listen())

    def exited(self) -> "asyncio.Future[int | None]":
        """The exit status of the process itself, as soon as it is known."""
        return asyncio.shield(self._exited)

    def ended(self) -> "asyncio.Future[Ended]":
        """Done once nothing of the child is left."""
        return asyncio.shield(self._ended)

    @property
    def tender(self) -> int | None:
        return self._line.tender

    @property
    def alive(self) -> bool:
        return not self._ended.done()

    def when_ended(self, call: Callable[[], None]) -> None:
        """Calls it as soon as nothing of the child is left."""
        self._ended.add_done_callback(lambda _: call())

    @property
    def exited_already(self) -> bool:
        return self._exited.done()

    def signal(self, signum: int) -> None:
        """Sends a signal to the child's process group."""
        self._tell(signal=int(signum))

    def kill(self) -> None:
        """Ends the child and all of its descendants, whatever group or session they are in.

        If nobody confirms it in time (the tender itself is stopped, or stuck), the child counts as lost.
        """
        self._tell(kill=True)
        if self.alive and self._lost is None:
            loop = asyncio.get_running_loop()
            self._lost = loop.call_later(_CONFIRM_SECONDS, self._line.writer.close)

    def _wake_tender(self) -> None:
        """Somebody may have stopped it, and a stopped tender ends nobody."""
        if self.alive and self.tender:
            with suppress(OSError):
                os.kill(self.tender, signal.SIGCONT)

    def _tell(self, **message: object) -> None:
        if self.alive:
            self._wake_tender()
            with suppress(OSError, RuntimeError):
                self._line.writer.write(json.dumps(message).encode() + b"\n")

    async def _listen(self) -> Ended:
        ended: Ended | None = None
        try:
            while ended is None and (line := await self._line.reader.readline()):
                ended = self._hear(json.loads(line))
        except OSError:
            pass  # The tender was killed; that is told by what is missing.
        finally:
            if self._lost:
                self._lost.cancel()
            if self._ready:
                self._give_back(self._line)
            else:
                self._line.writer.close()
            if not self._exited.done():
                self._exited.set_result(None)
        return ended or Ended(exit_status=None)

    def _hear(self, message: dict[str, Any]) -> Ended | None:  # Any: the tender's JSON.
        """The end, if that is what it is."""
        match message:
            case {"tender": int(pid)}:
                self._line.tender = pid
            case {"started": int(pid)}:
                self.pid = pid
            case {"exited": int(code)}:
                self._exited.set_result(code)
            case {"error": str(error)}:
                return Ended(exit_status=None, start_error=error)
            case {"done": list(left), "lost": lost, "ready": bool(ready)}:
                self._ready = ready
                leaked = tuple(Leak(pid=pid, command=command) for pid, command in left)
                status = self._exited.result() if self._exited.done() else None
                return Ended(exit_status=status, leaked=leaked, output_lost=lost)
        return None


class Supervisor:
    """Owns one keeper process. Leaving the context ends every child that is still there.

    ``secrets`` are masked in the output of every child before it reaches its file.
    """

    def __init__(self, *, log: Path, secrets: Sequence[str] = (), linger: float = 0.5) -> None:
        self._log = log
        self._secrets = list(secrets)
        self._linger = linger
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._children: set[Child] = set()
        self._free: list[Line] = []
        self._launching = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The keeper's process."""
        return self._process.pid if self._process else None

    async def gone(self) -> None:
        """Returns when the keeper itself has ended, which it should not before we leave."""
        if self._process:
            await self._process.wait()

    async def __aenter__(self) -> Self:
        await self._launch()
        return self

    async def _launch(self) -> None:
        ours, theirs = socket.socketpair()
        with self._log.open("ab") as log, theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                str(_KEEPER),
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={"PATH": os.environ.get("PATH", os.defpath)},
            )
        self._control = ours

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._control is None or self._process is None:
            return
        for child in self._children:
            child.kill()
        self._control.close()
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGCONT)  # A stopped keeper hears no end of file.
        try:
            await asyncio.wait_for(self._process.wait(), _SHUTDOWN_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(*(child.ended() for child in self._children))
        for line in self._free:
            line.writer.close()
        with suppress(OSError):  # A test may have taken the whole folder away.
            if self._log.stat().st_size == 0:
                self._log.unlink()

    async def _hand_over(self) -> socket.socket:
        """Our end of a new tender's socket; from another keeper if somebody ended this one."""
        async with self._launching:
            if self._control is None:
                raise RuntimeError("the supervisor is not running: use it as a context manager")
            try:
                return hand_over(self._control)
            except OSError:  # Its children are gone with it; those to come need another.
                self._control.close()
                await self._launch()
                return hand_over(self._control)

    @property
    def secrets(self) -> list[str]:
        return self._secrets

    def request(  # noqa: PLR0913 - one for each thing that a tender is told.
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        output: Path,
        times: bool = False,
        linger: float | None = None,
    ) -> bytes:
        """The line that a tender reads first."""
        fields = {
            "argv": list(argv),
            "cwd": str(cwd),
            "env": dict(env),
            "output": str(output),
            "times": f"{output}{SUFFIX}" if times else None,
            "secrets": self._secrets,
            "linger": self._linger if linger is None else linger,
        }
        return json.dumps(fields).encode() + b"\n"

    async def start(  # noqa: PLR0913 - the same.
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        output: Path,
        times: bool = False,
        linger: float | None = None,
    ) -> Child:
        """Starts a program; whether that worked is told by :meth:`Child.ended`.

        With ``times`` a file beside the output says when which of its bytes came. ``linger`` are the seconds
        that what it started may outlive it.
        """
        line = self._free_line() or await self._new_line()
        line.writer.write(self.request(argv, cwd=cwd, env=env, output=output, times=times, linger=linger))
        child = Child(line, give_back=self._free.append)
        self._children.add(child)
        child._ended.add_done_callback(lambda _: self._children.discard(child))  # noqa: SLF001 - same module.
        return child

    def _free_line(self) -> Line | None:
        """To a tender that is free and well; none if the keeper is gone, because its tenders follow it."""
        while self._free:
            line = self._free.pop()
            if self._process and self._process.returncode is None and not line.reader.at_eof():
                return line
            line.writer.close()
        return None

    async def _new_line(self) -> Line:
        ours = await self._hand_over()
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LONGEST_MESSAGE)
        return Line(reader=reader, writer=writer)


def hand_over(control: socket.socket) -> socket.socket:
    """Our end of a socket whose other end the keeper now has; raises OSError if there is no keeper."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            socket.send_fds(control, [b"+"], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
    return ours

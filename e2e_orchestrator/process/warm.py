"""The asyncio side of a warm server: starts it through the keeper, and children through it."""

import asyncio
import json
import signal
import socket
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from e2e_orchestrator.model.plan import CoverageSpec
from e2e_orchestrator.process.supervisor import LONGEST_MESSAGE, Child, Line, Supervisor, hand_over

RECORDER = Path(__file__).with_name("imported.py")
_SERVER = Path(__file__).with_name("warm_server.py")
_READY_SECONDS = 30.0
_BORN_SECONDS = 20.0
_UNTIL_NOTHING_IS_LEFT = 1e9


class NotWarmError(Exception):
    """There is no such server, and why; nothing was started."""


class UnsafeError(NotWarmError):
    """``packages`` must not be imported ahead: name and reason."""

    def __init__(self, packages: Mapping[str, str]) -> None:
        super().__init__("; ".join(packages.values()))
        self.packages = dict(packages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a server is to be: its interpreter, surroundings, and what it imports ahead (name, rewritten).

    ``coverage`` is what its children measure, of which nothing may be imported ahead.
    """

    python: str
    cwd: Path
    env: Mapping[str, str]
    modules: Sequence[tuple[str, bool]]
    avoid: Iterable[str] = ()
    coverage: CoverageSpec | None = None


class WarmServer:
    """A server that is ready.

    ``holds`` are the packages that its children find imported, ``running`` is how many children it has.
    """

    def __init__(self, supervisor: Supervisor, *, process: Child, control: socket.socket) -> None:
        self.holds: frozenset[str] = frozenset()
        self._supervisor = supervisor
        self._process, self._control = process, control
        self._free: list[Line] = []
        self.running = 0

    @classmethod
    async def launch(cls, supervisor: Supervisor, wanted: Wanted, *, log: Path) -> Self:
        """Returns when it is ready. Raises UnsafeError or NotWarmError, and leaves no process then."""
        with tempfile.TemporaryDirectory(prefix="e2e-warm-") as folder, socket.socket(socket.AF_UNIX) as door:
            path = f"{folder}/s"
            door.bind(path)
            door.listen(1)
            door.setblocking(False)
            process = await supervisor.start(
                [wanted.python, str(_SERVER), path],
                cwd=wanted.cwd,
                env=wanted.env,
                output=log,
                # Whom a server leaves behind when it dies are the tenders of running attempts.
                linger=_UNTIL_NOTHING_IS_LEFT,
            )
            try:
                async with asyncio.timeout(_READY_SECONDS):
                    return await cls._greeted(supervisor, wanted, process=process, door=door)
            except BaseException as error:
                process.kill()
                await process.ended()
                if isinstance(error, OSError | ValueError):
                    raise NotWarmError(f"the server did not start: {error}") from None
                raise

    @classmethod
    async def _greeted(
        cls, supervisor: Supervisor, wanted: Wanted, *, process: Child, door: socket.socket
    ) -> Self:
        loop = asyncio.get_running_loop()
        control = await _before_its_end(process, loop.sock_accept(door))
        server = cls(supervisor, process=process, control=control[0])
        process.exited().add_done_callback(lambda _: server._let_go())  # Else free tenders would outlive it.
        told = {
            "modules": list(wanted.modules),
            "avoid": sorted(wanted.avoid),
            "secrets": supervisor.secrets,
            "coverage": asdict(wanted.coverage) if wanted.coverage else None,
        }
        try:
            await loop.sock_sendall(server._control, json.dumps(told).encode() + b"\n")
            answer = json.loads(await _line(server._control))
        except BaseException:
            server._control.close()
            raise
        if "unsafe" in answer:
            server._control.close()
            raise UnsafeError(answer["unsafe"])
        server.holds = frozenset(answer["ready"])
        return server

    @property
    def alive(self) -> bool:
        return not self._process.exited_already

    async def start(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: Path) -> Child:
        """Starts an attempt as a fork of the server. Raises NotWarmError if none was started, for certain."""
        self.running += 1  # From now on: whoever retired the server would end what is being born.
        try:
            child = await self._bear(self._supervisor.request(argv, cwd=cwd, env=env, output=output))
        except BaseException:
            self.running -= 1
            raise
        child.when_ended(self._one_less)
        return child

    async def _bear(self, request: bytes) -> Child:
        line = self._free_line() or await self._new_line()
        line.writer.write(request)
        try:
            async with asyncio.timeout(_BORN_SECONDS):
                born = await _birth(line)
        except (OSError, EOFError, ValueError, KeyError) as error:
            line.writer.close()
            if isinstance(error, TimeoutError):  # Nothing may be born later. Its other children live on.
                self._process.signal(signal.SIGKILL)
                await self._process.exited()
            raise NotWarmError(f"the server did not start it: {error or type(error).__name__}") from None
        child = Child(line, give_back=self._take_back)
        child.pid = born
        return child

    def _free_line(self) -> Line | None:
        """To a tender of whose attempt nothing is left: it ran none of it itself, so its next fork is pristine."""
        while self._free:
            line = self._free.pop()
            if not line.reader.at_eof():
                return line
            line.writer.close()
        return None

    async def _new_line(self) -> Line:
        try:
            ours = hand_over(self._control)
        except OSError:
            raise NotWarmError("the server has ended") from None
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LONGEST_MESSAGE)
        return Line(reader=reader, writer=writer)

    def _take_back(self, line: Line) -> None:
        self._free.append(line)
        if not self.alive:
            self._let_go()

    def _let_go(self) -> None:
        """A tender ends when its line is closed."""
        while self._free:
            self._free.pop().writer.close()

    def _one_less(self) -> None:
        self.running -= 1

    def retire(self) -> None:
        """Ends it, once it has no child any more."""
        self._control.close()
        self._let_go()


async def _birth(line: Line) -> int:
    """The pid of what was born; a tender says its own first, once."""
    told: dict[str, Any] = {}
    while "started" not in told:
        data = await line.reader.readline()
        if not data:
            raise EOFError("the connection was closed")
        told.update(json.loads(data))
        if "error" in told:
            raise ValueError(told["error"])
    if "tender" in told:
        line.tender = int(told["tender"])
    return int(told["started"])


async def _before_its_end(process: Child, coming: Any) -> Any:
    """What is awaited, unless the process ends before it: then OSError."""
    waited, exited = asyncio.ensure_future(coming), asyncio.ensure_future(process.exited())
    try:
        await asyncio.wait({waited, exited}, return_when=asyncio.FIRST_COMPLETED)
        if waited.done():
            return waited.result()
    finally:
        for one in (waited, exited):
            one.cancel()
            with suppress(asyncio.CancelledError):
                await one
    raise OSError("it ended at once")


async def _line(control: socket.socket) -> bytes:
    loop, line = asyncio.get_running_loop(), b""
    while not line.endswith(b"\n"):
        data = await loop.sock_recv(control, 1 << 16)
        if not data:
            raise OSError("it ended while it imported")
        line += data
    return line

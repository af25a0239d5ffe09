"""Starts attempts warm where that pays and nothing speaks against it, and cold everywhere else.

The first attempts of a kind start cold and tell what they imported. A server then imports the same ahead, and
every later attempt is a fork of it. Whatever goes wrong with a server costs time, never a verdict: an attempt
that it did not start, starts cold.
"""

import asyncio
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from e2e_orchestrator.executors.warm_memory import Imports, Memory, names_in
from e2e_orchestrator.executors.warm_refusal import folders_of, refusal
from e2e_orchestrator.model.command import AttemptSpec, Command, WarmStart
from e2e_orchestrator.model.events import StartChosen
from e2e_orchestrator.model.plan import Test, Warm
from e2e_orchestrator.process.supervisor import Child, Supervisor
from e2e_orchestrator.process.warm import RECORDER, NotWarmError, UnsafeError, Wanted, WarmServer
from e2e_orchestrator.protocols import Cancellation, Emit

RECORD = "E2E_RECORD_IMPORTS"
OUTGROWN = "E2E_OUTGROWN"
_RUN_ID = "E2E_RUN_ID"
_WORTH_IT = 3  # A server costs about as much as a cold start.
_RECORDED_AT_ONCE = 2
_MOST_ROUNDS = 5
_MOST_CRASHES = 2
_MOST_OUTGROWN = 5
_MOST_SERVERS = 6
_PATIENCE = 10.0
_BARE = Imports(modules=(("pytest", False),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An attempt that is to be started.

    ``common`` is the environment without what is its own; ``patience`` is how many seconds it may wait.
    """

    test: Test
    spec: AttemptSpec
    command: Command
    warm: WarmStart
    common: Mapping[str, str]
    env: Mapping[str, str]
    output: Path
    emit: Emit
    cancellation: Cancellation
    patience: float
    started: Callable[[Child], None] = lambda _: None


@dataclass(slots=True, kw_only=True)
class _Kind:
    """Attempts that one server could be for: the same interpreter, arguments, folder and environment."""

    key: str
    imports: Imports | None
    refused: str | None = None
    recording: int = 0
    crashes: int = 0
    outgrown: int = 0
    bare: bool = False
    server: asyncio.Task[WarmServer] | None = None
    said: set[str] = field(default_factory=set)


class WarmStarts:
    """Servers of one run; they end with the supervisor. ``folder`` holds what they print."""

    def __init__(self, supervisor: Supervisor, *, tests: Sequence[Test], memory: Path, folder: Path) -> None:
        self._supervisor, self._folder = supervisor, folder
        self._memory_file = memory
        self._memory: Memory | None = None
        self._kinds: dict[str, _Kind] = {}
        self._left = Counter(map(_alike, tests))
        self._background: set[asyncio.Task[None]] = set()
        self._files = 0

    async def start(self, asked: Asked) -> Child:
        """Whichever way, a child that is the attempt; its cold start is the same as without all this."""
        test, mode = asked.test, asked.warm.mode
        if asked.spec.number == 1:
            self._left[_alike(test)] -= 1
        if mode is Warm.OFF:
            return await self._cold(asked)
        kind = self._kind(asked)
        why = kind.refused or refusal(asked.warm, env=asked.env, attempt=asked.spec.number)
        if kind.imports is not None and not why and _ready(kind.server) is None:
            why = self._changed(kind, asked)  # Else it is asked right before the fork.
        if why:
            await self._say(kind, asked, way="cold", why=why)
            return await self._cold(asked)
        if kind.imports is None and mode is Warm.AUTO:
            return await self._cold(self._recording(kind, asked))
        if kind.imports is None:
            kind.imports, kind.bare = _BARE, True
        asked = self._recording(kind, asked) if kind.bare else asked
        return await self._forked(kind, asked) or await self._cold(asked)

    async def aclose(self) -> None:
        """Ends what is still being prepared."""
        tasks = [*self._background, *(kind.server for kind in self._kinds.values() if kind.server)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _tidy(self._folder)

    async def _cold(self, asked: Asked) -> Child:
        command = asked.command
        child = await self._supervisor.start(
            command.argv, cwd=command.cwd, env=asked.env, output=asked.output
        )
        asked.started(child)
        return child

    def _kind(self, asked: Asked) -> _Kind:
        command = asked.command
        alike = [command.argv[0], str(command.cwd), *asked.warm.alike]
        place = _digest(alike)
        key = _digest([*alike, *(f"{name}={value}" for name, value in sorted(asked.common.items()))])
        if key not in self._kinds:
            self._memory = self._memory or Memory(self._memory_file)
            self._kinds[key] = _Kind(key=place, imports=self._memory.recall(place))
        return self._kinds[key]

    @staticmethod
    def _changed(kind: _Kind, asked: Asked) -> str | None:
        """Why a server that was right before is not for this attempt."""
        imports = kind.imports
        if imports is None or not imports.current:
            return "something was installed, or pytest's configuration changed, since the server started"
        server = _ready(kind.server)
        if server is None:
            return None
        folders = folders_of(asked.warm.target, below=asked.command.cwd)
        if folders is None:
            return "the target has too many folders to look for modules that hide others"
        shadows = server.holds & names_in([*map(Path, imports.roots), *folders])
        return f"the project has a module named like one of others: {min(shadows)}" if shadows else None

    def _recording(self, kind: _Kind, asked: Asked) -> Asked:
        """The same, but at its end it is known what it imported; the first few are enough."""
        if kind.recording >= _RECORDED_AT_ONCE or not (kind.bare or self._pays(asked)):
            return asked
        kind.recording += 1
        target = self._own_file("json")
        env = {**asked.env, RECORD: f"{RECORDER}\n{target}"}

        def started(child: Child) -> None:
            self._do(self._learn(kind, asked, child=child, target=target))

        return replace(asked, env=env, started=started)

    async def _learn(self, kind: _Kind, asked: Asked, *, child: Child, target: Path) -> None:
        await child.exited()
        kind.recording -= 1
        try:
            imports, hazards = _told(target)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return  # It died, or its pytest is a strange one: the next attempt may tell.
        if hazards and asked.warm.mode is Warm.AUTO:
            kind.refused = hazards[0]
            return
        known = None if kind.bare else kind.imports
        kind.imports, kind.bare = known.common(imports) if known else imports, False
        if self._memory:
            self._memory.keep(kind.key, kind.imports)
        if known is None and self._pays(asked):
            self._launch_soon(kind, asked)

    def _pays(self, asked: Asked) -> bool:
        return self._left[_alike(asked.test)] >= (1 if asked.warm.mode is Warm.ON else _WORTH_IT)

    async def _forked(self, kind: _Kind, asked: Asked) -> Child | None:
        """None if it has to be cold after all."""
        if kind.server is None:
            if asked.warm.mode is Warm.AUTO and not self._pays(asked):
                return None
            self._launch_soon(kind, asked)
        server = await self._server(kind, asked)
        if server is None:
            return None
        if why := self._changed(kind, asked):
            await self._say(kind, asked, way="cold", why=why)
            return None
        command, told = asked.command, self._own_file("json")
        env = {**asked.env, OUTGROWN: str(told)}
        try:
            child = await server.start(command.argv, cwd=command.cwd, env=env, output=asked.output)
        except NotWarmError as error:
            await self._crashed(kind, asked, why=str(error))
            return None
        asked.started(child)
        child.when_ended(lambda: self._one_ended(kind, asked, server=server, told=told))
        return child

    def _one_ended(self, kind: _Kind, asked: Asked, *, server: WarmServer, told: Path) -> None:
        if told.exists():
            self._do(self._avoid(kind, asked, server=server, told=told))
        if _ready(kind.server) is not server and not server.running:
            server.retire()  # Another one has taken its place.
        self._retire_if_done(kind, asked.test)

    async def _avoid(self, kind: _Kind, asked: Asked, *, server: WarmServer, told: Path) -> None:
        """An attempt has started again, cold: the next server is to know better."""
        why, packages = _outgrown(told)
        await self._say(kind, asked, way="cold", why=f"started again: {why}")
        imports = kind.imports
        if (
            imports is None
            or not packages
            or set(packages) & ({"pytest", "_pytest", "pluggy"} | sys.stdlib_module_names)
        ):
            kind.refused = why
            return
        avoid = {name: why for name in packages if name not in imports.avoid}
        kind.imports = replace(imports, avoid={**imports.avoid, **avoid})
        if self._memory and not kind.bare:
            self._memory.keep(kind.key, kind.imports)
        if _ready(kind.server) is not server:
            return  # Another one knows better already.
        kind.outgrown += 1
        if not avoid or kind.outgrown >= _MOST_OUTGROWN:
            kind.refused = why  # The next server would be no better, or it has been tried often enough.
        if not server.running:
            server.retire()
        kind.server = None

    def _launch_soon(self, kind: _Kind, asked: Asked) -> None:
        """Instead of one that nobody needs now, if there are many."""
        if kind.server is not None and not kind.server.done():
            return
        idle = [one for one in self._kinds.values() if (server := _ready(one.server)) and not server.running]
        alive = sum(one.server is not None for one in self._kinds.values())
        if alive >= _MOST_SERVERS and idle:
            self._retire(idle[0])
        self._retire(kind)
        kind.server = asyncio.create_task(self._launch(kind, asked))

    def _retire_if_done(self, kind: _Kind, test: Test) -> None:
        if not self._left[_alike(test)]:
            self._retire(kind)

    @staticmethod
    def _retire(kind: _Kind) -> None:
        server = _ready(kind.server)
        if server is not None and not server.running:
            server.retire()
            kind.server = None

    async def _server(self, kind: _Kind, asked: Asked) -> WarmServer | None:
        """Waits for it, for some time: a cold start would take as long."""
        task = kind.server
        if task is None:
            return None
        if not task.done():
            await self._wait_for(task, asked)
        if not task.done():
            return None
        try:
            server = task.result()
        except (NotWarmError, OSError, ValueError) as error:
            kind.refused = str(error)
            await self._say(kind, asked, way="cold", why=kind.refused)
            return None
        if not server.alive:
            await self._crashed(kind, asked, why="the server has ended")
            return None
        return server

    @staticmethod
    async def _wait_for(task: asyncio.Task[WarmServer], asked: Asked) -> None:
        cancelled = asyncio.ensure_future(asked.cancellation.wait())
        try:
            await asyncio.wait(
                {task, cancelled},
                timeout=asked.patience if asked.warm.mode is Warm.ON else min(asked.patience, _PATIENCE),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            cancelled.cancel()

    async def _crashed(self, kind: _Kind, asked: Asked, *, why: str) -> None:
        if kind.server is None:
            return  # Another attempt has seen it already.
        kind.server = None
        kind.crashes += 1
        if kind.crashes >= _MOST_CRASHES:
            kind.refused = f"{why}, twice"
        await self._say(kind, asked, way="cold", why=why)

    async def _launch(self, kind: _Kind, asked: Asked) -> WarmServer:
        imports = kind.imports
        if imports is None:
            raise NotWarmError("nothing is known of what to import")
        avoid = dict(imports.avoid)
        for _ in range(_MOST_ROUNDS):
            wanted = Wanted(
                python=asked.command.argv[0],
                cwd=asked.command.cwd,
                env={**asked.common, _RUN_ID: asked.spec.run_id},
                modules=imports.modules,
                avoid=avoid,
                coverage=asked.warm.coverage,
            )
            try:
                server = await WarmServer.launch(self._supervisor, wanted, log=self._own_file("log"))
            except UnsafeError as error:
                if {"pytest", "_pytest", "pluggy"} & error.packages.keys() - avoid.keys():
                    raise
                avoid |= error.packages
                continue
            await self._settle(kind, asked, server=server, avoid=avoid)
            return server
        raise NotWarmError(f"too much must not be imported ahead: {', '.join(sorted(avoid))}")

    async def _settle(
        self, kind: _Kind, asked: Asked, *, server: WarmServer, avoid: Mapping[str, str]
    ) -> None:
        imports = kind.imports
        if imports and avoid.keys() != imports.avoid.keys() and self._memory and not kind.bare:
            kind.imports = replace(imports, avoid=avoid)
            self._memory.keep(kind.key, kind.imports)
        without = f"; not imported ahead: {'; '.join(avoid.values())}" if avoid else ""
        why = f"a server has imported {len(server.holds)} packages{without}"
        await self._say(kind, asked, way="warm", why=why)

    def _own_file(self, ending: str) -> Path:
        self._files += 1
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{self._files}.{ending}"

    async def _say(self, kind: _Kind, asked: Asked, *, way: str, why: str) -> None:
        if f"{way} {why}" not in kind.said:
            kind.said.add(f"{way} {why}")
            event = StartChosen(runner=asked.test.runner, way="warm" if way == "warm" else "cold", why=why)
            await asked.emit(event)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _ready(task: asyncio.Task[WarmServer] | None) -> WarmServer | None:
    if task is None or not task.done() or task.cancelled() or task.exception():
        return None
    return task.result()


def _told(path: Path) -> tuple[Imports, list[str]]:
    told = json.loads(path.read_bytes())
    path.unlink()
    return Imports.of(told), [str(one) for one in told["hazards"]]


def _outgrown(path: Path) -> tuple[str, list[str]]:
    told = json.loads(path.read_bytes())
    path.unlink()
    return str(told["why"]), [str(one) for one in told["packages"]]


def _tidy(folder: Path) -> None:
    """What servers printed stays; what they did not print does not."""
    with suppress(OSError):
        for file in folder.iterdir():
            if file.suffix != ".log" or not file.stat().st_size:
                file.unlink()
        folder.rmdir()


def _alike(test: Test) -> str:
    return _digest(
        [test.runner, test.cwd, *test.args, *(f"{name}={value}" for name, value in test.env.items())]
    )


def _digest(words: Sequence[str]) -> str:
    text = "\0".join(words).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:24]

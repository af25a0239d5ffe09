"""The tenders of a warm server: used again, as pristine each time, and gone when the server is."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.project import processes, wait_until

from e2e_orchestrator.process.supervisor import Child, Ended, Supervisor
from e2e_orchestrator.process.warm import NotWarmError, Wanted, WarmServer

pytestmark = pytest.mark.anyio

DAEMON = "subprocess.run(['setsid', '-f', 'sleep', '300'], env={'PATH': os.environ['PATH']})"
WAITS = "print('up', flush=True)\nwhile not os.path.exists('go'): threading.Event().wait(0.01)"
FACTS = """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "files": sorted(os.listdir("/proc/self/fd")),
    "signals": [status[name] for name in ("SigBlk", "SigIgn", "SigCgt", "SigPnd")],
    "handlers": [str(signal.getsignal(number)) for number in range(1, 32)],
    "threads": status["Threads"],
    "nice": os.nice(0),
    "mask": os.umask(0),
    "folder": os.getcwd(),
    "environment": {**os.environ, "NUMBER": ""},
    "modules": sorted(sys.modules),
    "kept": len(builtins.__dict__),
    "collector": (gc.isenabled(), gc.get_threshold()),
    "depth": len(inspect.stack()),
    "leads": (os.getsid(0), os.getpgid(0)) == (os.getpid(), os.getpid()),
    "used": resource.getrusage(resource.RUSAGE_CHILDREN)[:],
}))
"""
SPOILS = """
os.chdir("/"); os.nice(1); os.umask(0o77); os.environ.clear(); builtins.spoilt = True; gc.disable()
signal.signal(signal.SIGTERM, signal.SIG_IGN); os.open("/dev/null", os.O_RDONLY)
subprocess.run([sys.executable, "-c", "pass"])
print("x" * 300_000)
raise SystemExit(3)
"""


@pytest.fixture
async def supervisor(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Supervisor]:
    async with Supervisor(log=tmp_path / "keeper.log", linger=0.2) as running:
        yield running
    assert not (tmp_path / "keeper.log").exists(), (tmp_path / "keeper.log").read_text()
    assert processes(str(tmp_path)) == []


@pytest.fixture
async def server(supervisor: Supervisor, tmp_path: Path) -> AsyncIterator[WarmServer]:
    """Of a program, ``work``, that runs the text of its argument; nothing is imported ahead."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "__init__.py").touch()
    names = "builtins, gc, inspect, json, os, resource, signal, subprocess, sys, threading"
    (tmp_path / "work" / "__main__.py").write_text(f"import {names}\nexec(sys.argv[1])\n")
    wanted = Wanted(python=sys.executable, cwd=tmp_path, env=surroundings(tmp_path), modules=[])
    launched = await WarmServer.launch(supervisor, wanted, log=tmp_path / "server.log")
    yield launched
    launched.retire()


def surroundings(folder: Path) -> dict[str, str]:
    return {**os.environ, "MARKER": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


async def start(server: WarmServer, folder: Path, code: str, *, number: int = 0) -> Child:
    return await server.start(
        [sys.executable, "-m", "work", code],
        cwd=folder,
        env={**surroundings(folder), "NUMBER": str(number)},
        output=folder / f"{number}.log",
    )


async def run(server: WarmServer, folder: Path, code: str, *, number: int = 0) -> tuple[Child, Ended]:
    child = await start(server, folder, code, number=number)
    return child, await child.ended()


async def until_up(folder: Path, *, number: int) -> None:
    log = folder / f"{number}.log"
    await asyncio.to_thread(wait_until, lambda: log.exists() and "up" in log.read_text())


async def facts(server: WarmServer, folder: Path, *, number: int) -> tuple[int | None, dict[str, Any]]:
    child, ended = await run(server, folder, FACTS, number=number)
    assert ended == Ended(exit_status=0)
    return child.tender, json.loads((folder / f"{number}.log").read_text())


async def test_an_attempt_finds_nothing_of_those_that_its_tender_had_before(
    server: WarmServer, tmp_path: Path
) -> None:
    first, fresh = await facts(server, tmp_path, number=1)
    spoiler, ended = await run(server, tmp_path, SPOILS, number=2)
    again, found = await facts(server, tmp_path, number=3)
    assert ended == Ended(exit_status=3)
    assert first == spoiler.tender == again
    assert found == fresh


async def test_what_each_attempt_leaves_is_its_own(server: WarmServer, tmp_path: Path) -> None:
    tenders = set()
    for number in range(3):
        child, ended = await run(server, tmp_path, DAEMON, number=number)
        assert [leak.command for leak in ended.leaked] == ["sleep 300"], number
        tenders.add(child.tender)
    assert len(tenders) == 1
    assert (await run(server, tmp_path, "pass"))[1] == Ended(exit_status=0)


async def test_attempts_at_the_same_time_have_one_each(server: WarmServer, tmp_path: Path) -> None:
    children = [await start(server, tmp_path, WAITS, number=number) for number in range(2)]
    assert len({child.tender for child in children}) == 2
    (tmp_path / "go").touch()
    assert [await child.ended() for child in children] == [Ended(exit_status=0)] * 2
    assert server.running == 0


async def test_one_that_died_between_two_attempts_is_not_asked(server: WarmServer, tmp_path: Path) -> None:
    before, _ = await run(server, tmp_path, "pass")
    assert before.tender is not None
    os.kill(before.tender, signal.SIGKILL)
    await asyncio.wait_for(before._line.reader.read(), 10)
    after, ended = await run(server, tmp_path, "pass")
    assert ended == Ended(exit_status=0)
    assert after.tender != before.tender


async def test_one_that_could_not_start_an_attempt_has_no_second_one(
    server: WarmServer, tmp_path: Path
) -> None:
    before, _ = await run(server, tmp_path, "pass")
    request = server.start(
        [sys.executable, "-m", "work"], cwd=tmp_path / "none", env={}, output=tmp_path / "o"
    )
    with pytest.raises(NotWarmError, match="FileNotFoundError"):
        await request
    after, ended = await run(server, tmp_path, "pass")
    assert ended == Ended(exit_status=0)
    assert after.tender != before.tender


async def test_a_server_that_is_retired_takes_them_along(server: WarmServer, tmp_path: Path) -> None:
    children = [await start(server, tmp_path, WAITS, number=number) for number in range(2)]
    (tmp_path / "go").touch()
    for child in children:
        await child.ended()
    server.retire()
    await asyncio.to_thread(wait_until, lambda: not processes(str(tmp_path)), what="the end of the server")
    assert (tmp_path / "server.log").read_text() == ""


async def test_a_server_that_dies_takes_those_along_that_are_free_and_no_other(
    server: WarmServer, tmp_path: Path
) -> None:
    runs = await start(server, tmp_path, WAITS, number=1)
    free, _ = await run(server, tmp_path, "pass", number=2)
    server._process.signal(signal.SIGKILL)
    await server._process.exited()
    await asyncio.to_thread(wait_until, lambda: not Path(f"/proc/{free.tender}").exists(), what="its end")
    (tmp_path / "go").touch()
    assert await runs.ended() == Ended(exit_status=0)
    await asyncio.to_thread(wait_until, lambda: not processes(str(tmp_path)), what="the end of everything")

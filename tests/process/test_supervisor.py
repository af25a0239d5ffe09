"""The keeper with real children: how they end, what they leave, what survives whom."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.project import processes, wait_until

from e2e_orchestrator.process import tree
from e2e_orchestrator.process.ending import Grace, end
from e2e_orchestrator.process.supervisor import Child, Ended, Supervisor

pytestmark = pytest.mark.anyio

QUICK = Grace(interrupt=0.3, terminate=0.2)


@pytest.fixture
async def supervisor(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Supervisor]:
    async with Supervisor(log=tmp_path / "keeper.log", secrets=["hunter2"], linger=0.2) as running:
        yield running
    assert not (tmp_path / "keeper.log").exists(), (tmp_path / "keeper.log").read_text()
    assert processes(str(tmp_path)) == []


async def start(supervisor: Supervisor, folder: Path, code: str) -> Child:
    """A Python program that has the test's folder in its environment, so that it can be found again."""
    env = {**os.environ, "MARKER": str(folder)}
    return await supervisor.start(
        [sys.executable, "-c", code], cwd=folder, env=env, output=folder / "out.log"
    )


def is_stopped(child: Child) -> bool:
    return child.pid is not None and ") T " in Path(f"/proc/{child.pid}/stat").read_text()


async def run(supervisor: Supervisor, folder: Path, code: str) -> Ended:
    return await (await start(supervisor, folder, code)).ended()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        pytest.param("pass", 0, id="a clean exit"),
        pytest.param("raise SystemExit(7)", 7, id="an exit status"),
        pytest.param("import os; os.kill(os.getpid(), 11)", -11, id="a signal"),
        pytest.param("import os; os.killpg(0, 9)", -9, id="a child that kills its whole group"),
        pytest.param("import os; os.close(1); os.close(2); os._exit(3)", 3, id="closed output"),
    ],
)
async def test_how_a_child_ends_is_told(
    supervisor: Supervisor, tmp_path: Path, code: str, status: int
) -> None:
    assert await run(supervisor, tmp_path, code) == Ended(exit_status=status)


async def test_a_program_that_does_not_exist_says_so(supervisor: Supervisor, tmp_path: Path) -> None:
    child = await supervisor.start(["/no/such/program"], cwd=tmp_path, env={}, output=tmp_path / "out.log")
    ended = await child.ended()
    assert ended.exit_status is None
    assert "/no/such/program" in (ended.start_error or "")


LEAKING = ("import os, subprocess; ", "; print('done', flush=True)")
LEAKS = {
    "a child of its own group": "subprocess.Popen(['sleep', '300'])",
    "a daemon in a session of its own": "subprocess.Popen(['sleep', '300'], start_new_session=True)",
    "a daemon without an environment": "subprocess.Popen(['sleep', '300'], start_new_session=True, env={})",
    "a daemon whose parent is gone": "subprocess.run(['setsid', '-f', 'sleep', '300'], env={'PATH': os.environ['PATH']})",
}


@pytest.mark.parametrize("code", LEAKS.values(), ids=LEAKS.keys())
async def test_what_outlives_its_test_is_named_and_ended(
    supervisor: Supervisor, tmp_path: Path, code: str
) -> None:
    ended = await run(supervisor, tmp_path, code.join(LEAKING))
    assert ended.exit_status == 0
    assert [leak.command for leak in ended.leaked] == ["sleep 300"]
    assert not {leak.pid for leak in ended.leaked} & {pid for pid, _ in tree.parents()}
    assert (tmp_path / "out.log").read_text() == "done\n"


async def test_children_side_by_side_are_not_confused(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "import subprocess, sys; subprocess.Popen(['sleep', '30%d'], start_new_session=True)"
    ends = await asyncio.gather(*(run(supervisor, tmp_path, code % number) for number in range(4)))
    assert [[leak.command for leak in one.leaked] for one in ends] == [
        [f"sleep 30{number}"] for number in range(4)
    ]


async def test_children_one_after_the_other_share_a_tender_and_nothing_else(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    tenders = []
    for number in range(3):
        child = await start(supervisor, tmp_path, LEAKS["a daemon whose parent is gone"].join(LEAKING))
        ended = await child.ended()
        tenders.append(child.tender)
        assert [leak.command for leak in ended.leaked] == ["sleep 300"], number
    assert len(set(tenders)) == 1
    assert (await run(supervisor, tmp_path, "pass")).leaked == ()


async def test_a_signal_that_comes_too_late_is_for_nobody(supervisor: Supervisor, tmp_path: Path) -> None:
    child = await start(supervisor, tmp_path, "pass")
    await child.ended()
    child._line.writer.write(b'{"signal": 9}\n{"kill": true}\n')
    after = await start(supervisor, tmp_path, "pass")
    assert await after.ended() == Ended(exit_status=0)
    assert after.tender == child.tender


async def test_a_tender_that_died_between_two_children_is_not_asked(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    child = await start(supervisor, tmp_path, "pass")
    await child.ended()
    assert child.tender is not None
    os.kill(child.tender, signal.SIGKILL)
    await asyncio.wait_for(child._line.reader.read(), 10)
    after = await start(supervisor, tmp_path, "pass")
    assert await after.ended() == Ended(exit_status=0)
    assert after.tender != child.tender


async def test_secrets_never_reach_the_output_file_even_in_pieces(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = "import os\nfor piece in (b'a hun', b'ter', b'2 b', b'x' * 20000, b'hunter2'): os.write(1, piece)"
    await run(supervisor, tmp_path, code)
    assert (tmp_path / "out.log").read_bytes() == b"a *** b" + b"x" * 20000 + b"***"


async def test_a_token_in_pieces_is_masked_as_a_whole(supervisor: Supervisor, tmp_path: Path) -> None:
    # The second half comes when the first has been read: its pipe is empty then.
    code = """
import fcntl, os, struct, termios
def waiting(): return struct.unpack("i", fcntl.ioctl(1, termios.FIONREAD, b"0000"))[0]
os.write(1, b"Authorization: Bearer abcdefgh")
while waiting(): pass
os.write(1, b"REMAINDEROFTOKEN12345\\n")
"""
    await run(supervisor, tmp_path, code)
    assert (tmp_path / "out.log").read_text() == "***\n"


async def test_a_flood_arrives_whole(supervisor: Supervisor, tmp_path: Path) -> None:
    await run(supervisor, tmp_path, "import sys\nfor n in range(200_000): print(n, 'x' * 50)")
    lines = (tmp_path / "out.log").read_text().splitlines()
    assert len(lines) == 200_000
    assert lines[-1].startswith("199999 ")


async def test_a_full_disk_is_told_and_does_not_stop_the_child(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    child = await supervisor.start(
        [sys.executable, "-c", "print('x' * 500_000)"], cwd=tmp_path, env={}, output=Path("/dev/full")
    )
    ended = await child.ended()
    assert ended.exit_status == 0
    assert "No space" in (ended.output_lost or "")


STUBBORN = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]; print('up', flush=True); time.sleep(99)"
POLITE = "import time; print('up', flush=True); time.sleep(99)"


@pytest.mark.parametrize(
    ("code", "killed", "status"),
    [
        pytest.param(POLITE, False, -signal.SIGINT, id="one that ends on SIGINT is not killed"),
        pytest.param(STUBBORN, True, -signal.SIGKILL, id="one that ignores both signals is killed"),
    ],
)
async def test_the_ending_ladder(
    supervisor: Supervisor, tmp_path: Path, code: str, killed: bool, status: int
) -> None:
    child = await start(supervisor, tmp_path, code)
    log = tmp_path / "out.log"
    await asyncio.to_thread(wait_until, lambda: log.exists() and "up" in log.read_text())
    assert await end(child, grace=QUICK) is killed
    assert (await child.ended()).exit_status == status


async def test_hurry_skips_the_grace(supervisor: Supervisor, tmp_path: Path) -> None:
    child = await start(supervisor, tmp_path, STUBBORN)
    hurry = asyncio.Event()
    hurry.set()
    assert await end(child, grace=Grace(interrupt=60, terminate=60), hurry=hurry)


async def test_a_stopped_child_can_be_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    child = await start(supervisor, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    await asyncio.to_thread(wait_until, lambda: is_stopped(child))
    assert await end(child, grace=QUICK)


async def test_a_child_that_kills_its_keeper_is_ended_and_told_as_lost(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = "import os, subprocess; subprocess.Popen(['sleep', '300'], start_new_session=True); os.kill(os.getppid(), 9)"
    assert (await run(supervisor, tmp_path, code)).exit_status is None
    wait_until(lambda: not processes(str(tmp_path)), what="the end of the orphans")


async def test_leaving_the_context_ends_what_runs(tmp_path: Path) -> None:
    async with Supervisor(log=tmp_path / "keeper.log") as supervisor:
        child = await start(supervisor, tmp_path, POLITE)
        await asyncio.sleep(0)
    assert not child.alive
    assert processes(str(tmp_path)) == []


async def test_a_keeper_that_was_killed_is_replaced_and_its_children_are_gone(tmp_path: Path) -> None:
    async with Supervisor(log=tmp_path / "keeper.log") as supervisor:
        before = await start(supervisor, tmp_path, POLITE)
        log = tmp_path / "out.log"
        await asyncio.to_thread(wait_until, lambda: log.exists() and "up" in log.read_text())
        assert supervisor.pid is not None
        os.kill(supervisor.pid, signal.SIGKILL)
        await supervisor.gone()
        assert (await before.ended()).exit_status in (None, -signal.SIGKILL)
        assert await run(supervisor, tmp_path, "pass") == Ended(exit_status=0)

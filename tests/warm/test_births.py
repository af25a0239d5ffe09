"""What is being born counts: a server that is retired meanwhile would end it."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from e2e_orchestrator.process.warm import NotWarmError, WarmServer

pytestmark = pytest.mark.anyio


class Asking:
    """Stands for a supervisor, of which only the words of a request are wanted."""

    def request(self, *_: Any, **__: Any) -> bytes:
        return b"{}\n"


async def test_a_server_is_busy_from_the_moment_it_is_asked(tmp_path: Path) -> None:
    ours, servers = socket.socketpair()
    with ours, servers:
        server = WarmServer(Asking(), process=None, control=ours)  # type: ignore[arg-type]
        asked = asyncio.ensure_future(server.start(["x"], cwd=tmp_path, env={}, output=tmp_path / "out"))
        _, passed, _, _ = await asyncio.to_thread(socket.recv_fds, servers, 64, 1)
        assert server.running == 1
        socket.socket(fileno=passed[0]).close()  # It dies before anything is born.
        with pytest.raises(NotWarmError):
            await asked
        assert server.running == 0

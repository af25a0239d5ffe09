"""Probes against servers that answer, refuse, drip and say nothing."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from e2e_orchestrator.model.service import HttpProbe, Probe, TcpProbe
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.services import probes

pytestmark = pytest.mark.anyio

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(*pieces: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return handle


async def keeps_quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def ask_of(probe: Probe) -> str | None:
    """Questions over the network need nothing of the service but its address."""
    asker = probes.Asker(supervisor=Supervisor(log=Path("unused")), cwd=Path(), env={}, log=Path("unused"))
    return await asker.ask(probe)


async def ask(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What the probe makes of this server, which has said goodbye when we return."""
    monkeypatch.setattr(probes, "_ONE_TRY_SECONDS", 0.3)
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await handler(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        answer = await ask_of(HttpProbe(http=f"http://127.0.0.1:{port}/health?x=1"))
        await served.wait()
    return answer


@pytest.mark.parametrize(
    ("handler", "answer"),
    [
        pytest.param(says(b"HTTP/1.1 200 OK\r\n\r\n"), None, id="success is ready"),
        pytest.param(
            says(b"HTTP/1.1 30", b"2 Found\r\n\r\n"), None, id="a redirect is an answer, also in pieces"
        ),
        pytest.param(says(b"HTTP/1.1 503 Busy\r\n\r\n"), "HTTP 503", id="a server error is not ready"),
        pytest.param(says(b"SSH-2.0-x\r\n"), "no HTTP answer, but 'SSH-2.0-x'", id="another protocol"),
        pytest.param(says(), "no HTTP answer, but ''", id="nothing at all"),
        pytest.param(
            says(b"x" * 70_000), "no HTTP answer: a line of its head has no end", id="a line without an end"
        ),
        pytest.param(keeps_quiet, "no answer within 0.3 s", id="silence"),
    ],
)
async def test_what_an_answer_means(
    handler: Handler, answer: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await ask(handler, monkeypatch) == answer


async def test_a_port_that_nobody_listens_on_is_not_ready_and_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert await probes.taken(("127.0.0.1", port))
        assert await ask_of(TcpProbe(tcp=f"localhost:{port}")) is None
    assert not await probes.taken(("127.0.0.1", port))
    assert "Error" in (await ask_of(TcpProbe(tcp=f"127.0.0.1:{port}")) or "")

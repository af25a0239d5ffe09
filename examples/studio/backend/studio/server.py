"""Running an ASGI application with uvicorn so that it stops at once and in silence."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

_GRACE_SECONDS = 1


class _Server(uvicorn.Server):
    """Tells the application before waiting for its open answers, and ends with exit code 0 after a signal."""

    def __init__(self, config: uvicorn.Config, before_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._before_shutdown = before_shutdown

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The original sends the signal to itself once more after the shutdown; a requested stop is no failure.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._before_shutdown()
        await super().shutdown(sockets)

    def _stop(self) -> None:
        self.should_exit = True


def serve(app: ASGIApp, *, name: str, host: str, port: int, before_shutdown: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGINT or SIGTERM; exit with one sentence when the address is taken."""
    try:
        listener = _listen(host, port)
    except OSError as error:
        sys.exit(f"{name}: cannot listen on {host}:{port}: {error.strerror}")
    config = uvicorn.Config(
        app, log_level="warning", lifespan="on", timeout_graceful_shutdown=_GRACE_SECONDS, server_header=False
    )
    print(f"{name}: listening on http://{host}:{port}", flush=True)
    with listener:
        server = _Server(config, before_shutdown)
        asyncio.run(server.serve([listener]))
    if not server.started:
        sys.exit(1)


def _listen(host: str, port: int) -> socket.socket:
    # Name the protocol: asyncio switches Nagle's algorithm off only for sockets that say IPPROTO_TCP, and
    # socket.create_server does not. With it on, every answer of two packets waits 40 ms for an acknowledgement.
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener

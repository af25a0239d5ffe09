"""Redis for development: `python -m studio.redis` serves it at REDIS_URL, with redis-server or without."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
from typing import Any

from fakeredis import TcpFakeServer

from studio.settings import Settings, address


class _EmbeddedServer(TcpFakeServer):
    """A small Redis in this process, which does not wait for its clients when it stops."""

    block_on_close = False

    def __init__(self, server_address: tuple[str, int]) -> None:
        super().__init__(server_address)
        self.daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def main() -> None:
    """Become redis-server where it is installed, unless STUDIO_REDIS says `embedded`."""
    host, port = address(Settings.from_environment().redis_url, default_port=6379)
    program = shutil.which("redis-server")
    if program and os.environ.get("STUDIO_REDIS") != "embedded":
        _become(program, port)
    _serve_embedded(host, port)


def _become(program: str, port: int) -> None:
    print(f"studio redis: {program} on 127.0.0.1:{port}", flush=True)
    options = {
        "--bind": "127.0.0.1",
        "--port": str(port),
        "--save": "",
        "--appendonly": "no",
        "--dir": tempfile.gettempdir(),
        "--loglevel": "warning",
    }
    # Not a child but this very process, so that signals reach it without a relay.
    os.execv(program, [program, *(word for option in options.items() for word in option)])  # noqa: S606


def _serve_embedded(host: str, port: int) -> None:
    try:
        server = _EmbeddedServer((host, port))
    except OSError as error:
        sys.exit(f"studio redis: cannot listen on {host}:{port}: {error.strerror}")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print(f"studio redis: embedded server on {host}:{port}", flush=True)
    with server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stop.wait()
        server.shutdown()


if __name__ == "__main__":
    main()

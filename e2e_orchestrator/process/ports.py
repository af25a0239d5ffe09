"""Free ports of this machine, each held for one run only."""

import errno
import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError

# From 32768 the kernel takes numbers for any connection, between our look and the start of who is to listen.
_PORTS = range(20000, 32000)
_ADDRESSES = (  # On the first two somebody may listen beside one who listens on the others, and gets the guests.
    (socket.AF_INET, "127.0.0.1"),
    (socket.AF_INET6, "::1"),
    (socket.AF_INET, "0.0.0.0"),  # noqa: S104 - asks, never listens.
    (socket.AF_INET6, "::"),
)
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_FOLDER = f"e2e-orchestrator-ports-{os.getuid()}"


class Ports:
    """Gives every port once, also beside other runs of this machine; each was free when it was given.

    A lock on a file holds it, which ends with this process, however it ends. ``begin`` picks where to look first.
    """

    def __init__(self, *, begin: Callable[[range], int] = random.choice) -> None:
        self._begin = begin
        self._locks: dict[int, int] = {}

    def take(self) -> int:
        """Raises InfrastructureError when all are taken."""
        folder = Path(tempfile.gettempdir()) / _FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        begin = self._begin(_PORTS)
        for port in chain(range(begin, _PORTS.stop), range(_PORTS.start, begin)):
            if port not in self._locks and self._lock(folder / str(port), port):
                return port
        raise InfrastructureError(
            f"no port between {_PORTS[0]} and {_PORTS[-1]} is free", hint="end what listens there"
        )

    def close(self) -> None:
        """All may be had by others."""
        while self._locks:
            os.close(self._locks.popitem()[1])

    def _lock(self, file: Path, port: int) -> bool:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        if not _is_free(port):
            os.close(handle)
            return False
        self._locks[port] = handle
        return True


def _is_free(port: int) -> bool:
    for family, address in _ADDRESSES:
        with suppress(OSError), socket.socket(family) as tried:  # A machine may do without IPv6.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                tried.bind((address, port))
            except OSError as error:
                if error.errno not in _NO_SUCH_ADDRESS:
                    return False
    return True

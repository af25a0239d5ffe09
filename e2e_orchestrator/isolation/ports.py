"""Ports that one slot has to itself, also beside other runs of this machine."""

import errno
import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError

# Below those that the kernel gives to outgoing connections, above those of well-known services.
_PORTS = range(20000, 32000)
_ADDRESSES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET, "0.0.0.0"))  # noqa: S104
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_FOLDER = f"e2e-orchestrator-ports-{os.getuid()}"


class SlotPorts:
    """Held by a lock on a file each, which ends with this process, however it ends."""

    def __init__(self, *, shuffled: random.Random | None = None) -> None:
        self._random = shuffled or random.Random()  # noqa: S311 - where to begin to look, no secret.
        self._locks: dict[int, int] = {}
        self._of: dict[int, dict[str, int]] = {}

    def of(self, slot: int, variables: Sequence[str]) -> tuple[bool, Mapping[str, str]]:
        """The same ports for a slot again and again, and whether one of them is new.

        Raises InfrastructureError when all are taken.
        """
        ports = self._of.setdefault(slot, {})
        missing = [variable for variable in variables if variable not in ports]
        for variable in missing:
            ports[variable] = self._claim()
        return bool(missing), {variable: str(ports[variable]) for variable in variables}

    def owned_by(self, slot: int) -> dict[str, str]:
        return {variable: str(port) for variable, port in self._of.get(slot, {}).items()}

    def close(self) -> None:
        while self._locks:
            os.close(self._locks.popitem()[1])
        self._of.clear()

    def _claim(self) -> int:
        folder = Path(tempfile.gettempdir()) / _FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        begin = self._random.choice(_PORTS)
        for port in chain(range(begin, _PORTS.stop), range(_PORTS.start, begin)):
            if port not in self._locks and self._lock(folder / str(port), port):
                return port
        raise InfrastructureError(f"no port between {_PORTS[0]} and {_PORTS[-1]} is free")

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
            try:
                tried.bind((address, port))
            except OSError as error:
                if error.errno not in _NO_SUCH_ADDRESS:
                    return False
    return True

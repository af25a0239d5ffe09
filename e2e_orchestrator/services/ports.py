"""Free ports of this machine, below those that the kernel gives to outgoing connections."""

import errno
import random
import socket
from collections.abc import Callable

from e2e_orchestrator.errors import InfrastructureError

# From 32768 the kernel takes numbers for any connection, between our look and the service's start.
_FIRST, _LAST = 20_000, 32_000
_TRIES = 500


class Ports:
    """Gives every port once in a run; each was free on both families when it was given."""

    def __init__(self, *, pick: Callable[[int, int], int] = random.randint) -> None:
        self._given: set[int] = set()
        self._pick = pick

    def take(self) -> int:
        """Raises InfrastructureError if none is found."""
        for _ in range(_TRIES):
            port = self._pick(_FIRST, _LAST)
            if port not in self._given and _free(port):
                self._given.add(port)
                return port
        raise InfrastructureError(
            f"no free port was found between {_FIRST} and {_LAST}", hint="end what listens there"
        )


def _free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104 - asks, never listens.
        try:
            with socket.socket(family) as asking:
                if family == socket.AF_INET6:
                    asking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                asking.bind((address, port))
        except OSError as error:
            if family == socket.AF_INET or error.errno == errno.EADDRINUSE:
                return False
    return True

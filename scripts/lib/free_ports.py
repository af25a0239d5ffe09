#!/usr/bin/env python3
"""Prints the ports it is given, each replaced by a free one where somebody listens already; 0 is any free port."""

import socket
import sys


def bound(port: int) -> socket.socket:
    """A socket at the port if it is free, else at another."""
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        probe.bind(("127.0.0.1", 0))
    return probe


# All are held until the last is found, so that none is found twice.
sockets = [bound(int(port)) for port in sys.argv[1:]]
sys.stdout.write(" ".join(str(one.getsockname()[1]) for one in sockets) + "\n")

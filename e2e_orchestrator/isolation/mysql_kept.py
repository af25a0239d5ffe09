"""Templates of MySQL and MariaDB that outlive their runs: which locks say who uses one, and who may remove it.

The locks of these servers belong to one session each, none can be shared. So a template has as many places as runs
may use it at once, each of them a lock; they all are free again when the last session of its users has ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from e2e_orchestrator.isolation.mysql_server import Server
from e2e_orchestrator.isolation.names import Marker

KIND = "kept"
_PLACES = 64


def making(name: str) -> str:
    """The lock of whoever builds the template, or removes it."""
    return f"make {name}"


def take_place(session: Server, name: str) -> bool:
    """From here on nobody removes it, as long as the session lives. False if all places are taken."""
    return any(session.hold(place) for place in _places(name))


def is_used(server: Server, name: str) -> bool:
    return not server.are_free(_places(name))


def drop_unused(server: Server, name: str, marker: Marker) -> bool:
    """False if a run uses it, or is about to: that one holds its place before it asks for this lock."""
    with _held(server, making(name)) as held:
        if not held or is_used(server, name):
            return False
        server.drop(name, marker=marker)
        return True


def drop_outdated(server: Server, name: str, source: str) -> None:
    """Templates of the same origin as ``name``, of which the schema has changed since."""
    for other, marker in server.ours():
        if marker.kind == KIND and marker.source == source and other != name:
            drop_unused(server, other, marker)


@contextmanager
def _held(server: Server, text: str) -> Iterator[bool]:
    held = server.hold(text)
    try:
        yield held
    finally:
        if held:
            server.let_go(text)


def _places(name: str) -> list[str]:
    return [f"use {name} {number}" for number in range(_PLACES)]

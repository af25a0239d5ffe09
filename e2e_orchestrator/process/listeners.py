"""Who listens on a port of this machine: a question to /proc, which only Linux has."""

import os
from pathlib import Path

from e2e_orchestrator.process import tree

_PROC = Path("/proc")
_LISTENS = "0A"


def stranger_on(port: int, *, below: int) -> int | None:
    """The process that listens on the port although it is no descendant of ``below``; None if that is unknown.

    A stranger was there before: what listens since later may be a proxy that our service asked for, as
    containers have. Sockets that nobody may look at, and systems without /proc, have no strangers.
    """
    sockets = _listening(port)
    if not sockets:
        return None
    ours = {below, *tree.descendants_of(below)}
    owners = {pid for pid in _processes() if sockets & _sockets_of(pid)}
    if not owners or owners & ours:
        return None
    begun = _started(below)
    earlier = [pid for pid in sorted(owners) if _started(pid) < begun]
    return earlier[0] if len(earlier) == len(owners) else None


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir(_PROC) if name.isdigit()]  # noqa: PTH208 - names are all it takes.
    except OSError:
        return []


def _listening(port: int) -> set[str]:
    """The kernel's numbers of the sockets that listen there, on any address."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def _sockets_of(pid: int) -> set[str]:
    folder = _PROC / str(pid) / "fd"
    try:
        links = [str(one.readlink()) for one in folder.iterdir()]
    except OSError:
        return set()  # Somebody else's, or gone in the meantime.
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}


def _started(pid: int) -> int:
    """In ticks since the machine began; 0 for a process that is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        return int(text.rsplit(")", 1)[1].split()[19])
    except (OSError, IndexError, ValueError):
        return 0

"""Who descends from whom; standard library only, because the keeper loads it by its path."""

import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PROC = os.path.isdir("/proc/self")
# The quick way, and a kernel option; without it every look goes through all processes.
_LISTED = os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def children_of(pid: int) -> list[int]:
    """Direct children."""
    if not _LISTED:
        return [child for child, parent in parents() if parent == pid]
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # Gone in the meantime: its children are somebody else's now.
    return found


def parents() -> list[tuple[int, int]]:
    """(pid, parent) of every process, from /proc where there is one, else from ps."""
    if not _PROC:
        text = subprocess.run(
            ["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False
        ).stdout
        pairs = (line.split() for line in text.splitlines())
        return [(int(pid), int(parent)) for pid, parent in pairs]
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                found.append((int(name), int(file.read().rsplit(")", 1)[1].split()[1])))
        except (OSError, IndexError):
            continue  # Gone in the meantime.
    return found


def descendants_of(pid: int) -> list[int]:
    """Level by level, however deep: a chain of a thousand processes must not exhaust our own stack."""
    found: list[int] = []
    level = children_of(pid)
    while level:
        found += level
        level = [child for parent in level for child in children_of(parent)]
    return found


def command_line(pid: int, *, masked: "Callable[[str], str]" = str) -> str:
    """The beginning of it; ``masked`` comes before the cut, which could leave half a secret."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return masked(file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip())[:300]
    except OSError:
        return ""


def is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (OSError, IndexError):
        return False

"""Finds and ends the processes that dead runs left, by the E2E_RUN_ID in their environment.

Only processes of the same user, and never ourselves or whoever called us. Needs /proc, as Linux has it;
elsewhere nothing is found, and :data:`CAN_LOOK` is false.
"""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.process import tree
from e2e_orchestrator.safety.redact import mask_for

MARKER = "E2E_RUN_ID"
CAN_LOOK = Path("/proc/self/environ").exists()
_GRACE_SECONDS = 2.0
_KILL_SECONDS = 5.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Remnant:
    """A process of a dead run; ``born`` tells it from a later one with the same number."""

    pid: int
    born: str
    run_id: str
    command: str

    @property
    def alive(self) -> bool:
        return _born(self.pid) == self.born and not tree.is_zombie(self.pid)


def remains_of(run_ids: Collection[str]) -> list[Remnant]:
    """What carries the mark of one of these runs, and everything below it that lost the mark."""
    if not run_ids or not CAN_LOOK:
        return []
    spared = _ourselves()
    owner = os.getuid()
    found: dict[int, Remnant] = {}
    for pid in _pids():
        run_id = _mark(pid)
        if run_id is not None and run_id in run_ids:
            for one in (pid, *tree.descendants_of(pid)):
                if one not in spared and one not in found and _owner(one) == owner:
                    found[one] = _remnant(one, run_id)
    return [one for one in found.values() if one.born and one.alive]


def end_remains(look: Callable[[], Sequence[Remnant]]) -> list[Remnant]:
    """Ends what ``look`` finds, politely first; looks again until nothing is found. All that were ended."""
    ended: dict[tuple[int, str], Remnant] = {}
    for signum, seconds in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        until = time.monotonic() + seconds
        asked: set[tuple[int, str]] = set()
        while left := look():
            new = [one for one in left if (one.pid, one.born) not in asked]
            _signal(new, signum)
            asked |= {(one.pid, one.born) for one in new}
            ended |= {(one.pid, one.born): one for one in new if (one.pid, one.born) not in ended}
            if time.monotonic() > until:
                break
            time.sleep(_LOOK_SECONDS)
    return list(ended.values())


def _signal(remnants: Iterable[Remnant], signum: int) -> None:
    for one in remnants:
        if one.alive:
            with suppress(OSError):  # It has just ended.
                os.kill(one.pid, signum)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - names, no paths.


def _mark(pid: int) -> str | None:
    """The run that the process says it belongs to, by the environment it was started with."""
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    prefix = f"{MARKER}=".encode()
    value = next((one for one in environ.split(b"\0") if one.startswith(prefix)), None)
    return value[len(prefix) :].decode("utf-8", "replace") if value else None


def _remnant(pid: int, run_id: str) -> Remnant:
    return Remnant(
        pid=pid,
        born=_born(pid),
        run_id=run_id,
        command=tree.command_line(pid, masked=mask_for(os.environ).text),
    )


def _born(pid: int) -> str:
    """The kernel's time of its start; empty once it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _owner(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def _ourselves() -> set[int]:
    """This process and all above it."""
    parents = dict(tree.parents())
    line, pid = set(), os.getpid()
    while pid and pid not in line:
        line.add(pid)
        pid = parents.get(pid, 0)
    return line

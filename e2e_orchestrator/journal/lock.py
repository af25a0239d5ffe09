"""Who is alive: every run holds a lock on a file in its folder, which the kernel lets go of with the process.

So a run whose lock is free and whose journal does not end with RunFinished is dead, however it died.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = "run.lock"


class RunLock:
    """Held from making it until :meth:`release` or the end of the process. Children do not inherit it."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with suppress(OSError):  # A file system without locks: the run goes on, and counts as alive for ever.
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        os.write(self._fd, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        os.close(self._fd)


def make_run_folder(folder: Path) -> RunLock:
    """Makes the folder of a run, locked before anybody who removes dead runs can look at it.

    Raises OSError if that cannot be done, also if the folder exists.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with guarded(folder.parent):
        folder.mkdir()
        return RunLock(folder)


def is_alive(folder: Path) -> bool:
    """Whether a run goes on in this folder. Where nobody can know, it does: then nothing is removed."""
    try:
        fd = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)  # Shared: two that look do not see each other.
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(fd)


@contextmanager
def guarded(runs: Path) -> Iterator[None]:
    """Between making and removing the folders of runs: one at a time, each for a moment only."""
    fd = os.open(runs, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)

"""Files that appear whole or not at all: written aside in the same folder, synced, renamed."""

import errno
import os
import secrets
import select
import shutil
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TextIO

_READER_SECONDS = 5.0


def write_whole(path: Path, data: bytes) -> None:
    """Puts ``data`` at ``path``, replacing what was there, even a link; makes the folders above it.

    Raises OSError and leaves nothing of its own behind when that fails.
    """
    write_in_pieces(path, [data])


def write_in_pieces(path: Path, pieces: Iterable[bytes], *, mode: int | None = None) -> None:
    """The same for what comes in pieces; ``mode`` are the permissions, by default those of any new file."""

    def fill(file: BinaryIO) -> None:
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.writelines(pieces)

    _put(path, fill)


def write_where_told(path: Path, data: bytes) -> None:
    """The same for a place that the user named: links are followed, and what is no file is written into.

    So ``/dev/stdout``, a pipe or a device get the data, and are not replaced by a file. Raises OSError.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        write_whole(path.resolve(), data)
        return
    if (ours := _our_stream(found)) is not None:
        ours.flush()
        _write_all(ours.fileno(), data)
    elif stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode):
        write_whole(path.resolve(), data)
    else:
        _write_into(path, data)


def copy_whole(source: Path, path: Path) -> None:
    """Puts a copy of the file ``source`` at ``path`` in the same way, whatever its size."""
    with source.open("rb") as original:
        _put(path, lambda file: shutil.copyfileobj(original, file, 1 << 20))


def _our_stream(found: os.stat_result) -> TextIO | None:
    """The standard stream that this is, if any: a second opening of its file would write over its beginning."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # Closed, or somebody put something else in its place.
            if os.path.samestat(os.fstat(stream.fileno()), found):
                return stream
    return None


def _write_into(path: Path, data: bytes) -> None:
    """Does not wait for somebody to open the other end of a pipe."""
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        if not select.select([], [descriptor], [], _READER_SECONDS)[1]:
            raise TimeoutError(errno.ETIMEDOUT, f"nobody has read it for {_READER_SECONDS:g} s")
        with suppress(BlockingIOError):
            rest = rest[os.write(descriptor, rest[: select.PIPE_BUF]) :]


def _put(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        with aside.open("xb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

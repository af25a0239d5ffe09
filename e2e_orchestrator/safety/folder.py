"""Masks the files that a child left in its folder, and says which of them it could not mask.

The child may have put links there, or a link in the place of the folder itself: none is followed, so that
nothing outside is changed.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from e2e_orchestrator.safety.files import write_in_pieces
from e2e_orchestrator.safety.masking import Mask, Stream
from e2e_orchestrator.safety.regular import open_regular

BIGGEST = 1 << 30  # Of what is larger, or is a hole that looks larger, nobody waits for the end.
_CHUNK = 1 << 18
_HEAD = 8192  # A null byte in so many at the beginning tells a binary file, as git and grep see it.


def is_bare(folder: Path, *, below: Path, spared: Path) -> bool:
    """Whether :func:`mask_files` would have nothing to do and nothing to say."""
    try:
        return set(os.listdir(folder)) <= {spared.name} and _is_itself(folder, below=below)  # noqa: PTH208 - names, no paths.
    except OSError:
        return False


def mask_files(folder: Path, *, below: Path, mask: Mask, spared: Path) -> list[str]:
    """Masks the text files in ``folder``, which lies below ``below``, in place; all but ``spared``.

    Returns a sentence for everything that may still hold a secret. Binary files are left alone.
    """
    if not _is_itself(folder, below=below):
        return [f"{folder.name} is not the folder that it was: a link leads elsewhere, so nothing was masked"]
    left: list[str] = []
    for path in _files(folder, left):
        if path != spared:
            try:
                _mask_file(path, mask)
            except OSError as error:
                left.append(f"{path.relative_to(folder)} could not be masked: {error.strerror}")
    return left


def _is_itself(folder: Path, *, below: Path) -> bool:
    return folder.resolve() == below.resolve() / folder.relative_to(below)


def _files(folder: Path, left: list[str]) -> Iterator[Path]:
    """Every plain file below, whatever its name; what cannot be looked into is told in ``left``."""

    def refused(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            left.append(f"the folder {error.filename} could not be looked into: {error.strerror}")

    for parent, _, names in os.walk(folder, onerror=refused):
        for name in names:
            path = Path(parent, name)
            with suppress(OSError):  # Gone in the meantime.
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path


def _mask_file(path: Path, mask: Mask) -> None:
    with open_regular(path, follow=False) as file:
        if b"\0" in file.read(_HEAD):
            return
        about = os.fstat(file.fileno())
        if about.st_size > BIGGEST:
            raise OSError(0, f"it is larger than {BIGGEST >> 30} GiB")
        stream = Stream(mask)
        for _ in _masked(file, stream):
            if stream.found:
                write_in_pieces(path, _masked(file, Stream(mask)), mode=stat.S_IMODE(about.st_mode))
                return


def _masked(file: BinaryIO, stream: Stream) -> Iterator[bytes]:
    file.seek(0)
    while data := file.read(_CHUNK):
        yield stream.feed(data)
    yield stream.end()

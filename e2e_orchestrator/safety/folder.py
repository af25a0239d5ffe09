"""Masks the files that a child left in its folder, and says which of them it could not mask.

The child may have put links there, or a link in the place of the folder itself: none is followed, so that
nothing outside is changed.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from e2e_orchestrator.safety.blob import is_blob, masked_blob
from e2e_orchestrator.safety.files import write_in_pieces
from e2e_orchestrator.safety.hidden import BIGGEST as BIGGEST_REPORT
from e2e_orchestrator.safety.hidden import CannotMaskError, is_page, masked_output, masked_page
from e2e_orchestrator.safety.masking import Mask, Stream
from e2e_orchestrator.safety.regular import open_regular

BIGGEST = 1 << 30  # Of what is larger, or is a hole that looks larger, nobody waits for the end.
_OF_BLOBS = frozenset({"blob", "blob-report"})
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

    Returns a sentence for everything that may still hold a secret. Binary files are left alone,
    except Playwright's blob report.
    """
    if not _is_itself(folder, below=below):
        return [f"{folder.name} is not the folder that it was: a link leads elsewhere, so nothing was masked"]
    left: list[str] = []
    for path in _files(folder, left):
        if path != spared:
            try:
                _mask_file(path, mask)
                _mask_report(path, mask)
                _mask_blob(path, mask)
            except OSError as error:
                left.append(f"{path.relative_to(folder)} could not be masked: {error.strerror}")
            except CannotMaskError as error:
                path.unlink(missing_ok=True)
                left.append(f"{path.relative_to(folder)} was removed: {error}")
    return left


def _is_itself(folder: Path, *, below: Path) -> bool:
    """Whether no part of the way down to it is a link."""
    here = str(below)
    for part in folder.relative_to(below).parts:
        here = f"{here}{os.sep}{part}"
        if os.path.islink(here):  # noqa: PTH114 - of every attempt; a path for each part costs as much again.
            return False
    return True


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


def _mask_report(path: Path, mask: Mask) -> None:
    """What a search in the text does not see. Raises CannotMaskError for a report that nobody may see."""
    if not mask.literals or path.suffix not in {".html", ".json"}:
        return
    with open_regular(path, follow=False) as file:
        about, head = os.fstat(file.fileno()), file.read(_HEAD)
        if b"\0" in head or (path.suffix == ".html" and not is_page(head)):
            return
        if about.st_size > BIGGEST_REPORT:
            raise OSError(0, f"it is larger than {BIGGEST_REPORT >> 20} MiB")
        old = head + file.read()
    new = masked_page(old, mask) if path.suffix == ".html" else masked_output(old, mask)
    if new != old:
        write_in_pieces(path, iter([new]), mode=stat.S_IMODE(about.st_mode))


def _mask_blob(path: Path, mask: Mask) -> None:
    """The same for Playwright's blob report. One that is torn can only be told by the folder that it is in."""
    if not mask.literals or path.suffix != ".zip":
        return
    with open_regular(path, follow=False) as file:
        about = os.fstat(file.fileno())
        if path.parent.name not in _OF_BLOBS and not is_blob(file):
            return
        if about.st_size > BIGGEST_REPORT:
            raise OSError(0, f"it is larger than {BIGGEST_REPORT >> 20} MiB")
        file.seek(0)
        old = file.read()
    if (new := masked_blob(old, mask)) != old:
        write_in_pieces(path, iter([new]), mode=stat.S_IMODE(about.st_mode))


def _blob_holds_secret(file: BinaryIO, mask: Mask) -> bool:
    if not mask.literals or not is_blob(file):
        return False
    return _report_holds_secret(file, mask, masked=masked_blob)


def _page_holds_secret(file: BinaryIO, mask: Mask) -> bool:
    file.seek(0)
    if not is_page(file.read(_HEAD)):
        return False
    return _report_holds_secret(file, mask, masked=masked_page)


def _report_holds_secret(file: BinaryIO, mask: Mask, *, masked: Callable[[bytes, Mask], bytes]) -> bool:
    if os.fstat(file.fileno()).st_size > BIGGEST_REPORT:
        return True
    file.seek(0)
    report = file.read()
    try:
        return masked(report, mask) != report
    except CannotMaskError:
        return bool(mask.literals)


def holds_secret(file: BinaryIO, mask: Mask) -> bool:
    """Whether a file is text, or a report, that should have been masked and was not: it could not be, or came later."""
    if b"\0" in file.read(_HEAD):
        return _blob_holds_secret(file, mask)
    if os.fstat(file.fileno()).st_size > BIGGEST:
        return True
    stream = Stream(mask)
    return any(stream.found for _ in _masked(file, stream)) or _page_holds_secret(file, mask)


def _masked(file: BinaryIO, stream: Stream) -> Iterator[bytes]:
    file.seek(0)
    while data := file.read(_CHUNK):
        yield stream.feed(data)
    yield stream.end()

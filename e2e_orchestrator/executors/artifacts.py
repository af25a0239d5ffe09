"""Brings the files that a test was asked to leave into its attempt's folder, before another one overwrites them."""

import glob
import mimetypes
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.model.command import AttemptSpec
from e2e_orchestrator.model.outcomes import Attachment
from e2e_orchestrator.safety.regular import open_regular

FOLDER = "artifacts"

_MOST, _BIGGEST = 200, 500_000_000
_SPARED = frozenset({"node_modules", ".git", ".venv"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """``left`` says what was not collected, and why."""

    attachments: tuple[Attachment, ...] = ()
    left: tuple[str, ...] = ()


Stamps = Mapping[str, tuple[int, int, int]]


def stamps(patterns: Sequence[str], *, cwd: Path, spec: AttemptSpec) -> Stamps:
    """What is there before an attempt, by name: when it was written last, its size and its inode."""
    return dict(_matching(patterns, cwd=cwd, spared=spec.output_root.resolve()))


def collect(patterns: Sequence[str], *, cwd: Path, spec: AttemptSpec, before: Stamps) -> Collected:
    """Copies what was written since those stamps were taken and lies below ``cwd``.

    Links are not followed out of ``cwd``. At most 200 files of 500 MB together: what has no room is left out,
    and what comes after it still has its chance.
    """
    found: list[Attachment] = []
    left: list[str] = []
    size = 0
    for name, stamp in _matching(patterns, cwd=cwd, spared=spec.output_root.resolve()):
        if before.get(name) == stamp:
            continue
        path = cwd / name
        try:
            its_size = path.stat().st_size
            if why := _no_room(len(found), size + its_size):
                left.append(f"{name}: {why}")
                continue
            target = spec.folder / FOLDER / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with open_regular(path) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
        except OSError as error:
            left.append(f"{name}: {error.strerror or error}")
            continue
        size += its_size
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        shown = target.relative_to(spec.output_root).as_posix()
        found.append(Attachment(name=name, path=shown, content_type=kind))
    return Collected(attachments=tuple(found), left=tuple(left))


def _no_room(number: int, size: int) -> str | None:
    if number >= _MOST:
        return f"an attempt keeps at most {_MOST} files"
    return f"an attempt keeps at most {_BIGGEST // 1_000_000} MB" if size > _BIGGEST else None


def _matching(
    patterns: Sequence[str], *, cwd: Path, spared: Path
) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Each file once, by name; relative to ``cwd``. What lies in the output folder is there already."""
    root = cwd.resolve()
    names = {
        os.path.normpath(name)
        for pattern in patterns
        for name in glob.iglob(pattern, root_dir=cwd, recursive=True)  # noqa: PTH207 - Path.glob follows links out.
        if not _SPARED.intersection(Path(name).parts) - set(Path(pattern).parts)
    }
    for name in sorted(names):
        try:
            real = (cwd / name).resolve()
            inside = real.is_relative_to(root) and not real.is_relative_to(spared)
            found = real.stat() if inside and real.is_file() else None
        except (OSError, RuntimeError):
            continue
        if found:
            yield name, (found.st_mtime_ns, found.st_size, found.st_ino)

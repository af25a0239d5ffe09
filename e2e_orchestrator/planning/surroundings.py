"""What planning asks the machine: which files there are, and how many processors."""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

_MAGIC = re.compile(r"[*?[]")
_SKIPPED = frozenset({"node_modules", "__pycache__"})
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


class Surroundings(Protocol):
    """The file system and the processors, as far as a plan depends on them."""

    def exists(self, path: Path) -> bool: ...

    def is_folder(self, path: Path) -> bool: ...

    def glob(self, folder: Path, pattern: str) -> list[str]:
        """The files below the folder that match, relative to it with forward slashes, sorted.

        ``**`` stands for any number of folders. Hidden ones and ``node_modules`` are left out unless the
        pattern names them.
        """
        ...

    def processors(self) -> int:
        """How many this process may use; at least one."""
        ...


class Machine:
    """The real thing."""

    def exists(self, path: Path) -> bool:
        try:
            return path.exists()
        except OSError:  # A name that is too long, or a folder that may not be read.
            return False

    def is_folder(self, path: Path) -> bool:
        return path.is_dir()

    def glob(self, folder: Path, pattern: str) -> list[str]:
        parts = PurePosixPath(pattern).parts
        fixed = next((at for at, part in enumerate(parts) if is_glob(part)), len(parts))
        start = folder.joinpath(*parts[:fixed])
        wanted = [_pattern(part) for part in parts[fixed:]]
        found = (
            start / relative
            for relative in _files(start, named=set(parts))
            if _matches(relative.parts, wanted)
        )
        return sorted(Path(os.path.relpath(path, folder)).as_posix() for path in found)

    def processors(self) -> int:
        affinity = getattr(os, "sched_getaffinity", None)  # Linux has it, macOS does not.
        usable = len(affinity(0)) if affinity else os.cpu_count() or 1
        return max(1, min(usable, _quota() or usable))


def is_glob(text: str) -> bool:
    """Whether it holds a character that stands for others."""
    return _MAGIC.search(text) is not None


def _files(start: Path, *, named: set[str]) -> Iterator[Path]:
    for folder, folders, files in os.walk(start):
        folders[:] = sorted(
            name for name in folders if name in named or not (name in _SKIPPED or name.startswith("."))
        )
        here = Path(folder).relative_to(start)
        for name in files:
            if name in named or not name.startswith("."):
                yield here / name


def _matches(parts: tuple[str, ...], wanted: list[re.Pattern[str] | None]) -> bool:
    """Whether the parts of a path match those of a pattern, of which None is ``**``.

    Keeps the set of places in the pattern that may come next, so that many ``**`` cost no more than one.
    """
    places = _skip_any({0}, wanted)
    for part in parts:
        following = set()
        for place in places:
            if place == len(wanted):
                continue
            pattern = wanted[place]
            if pattern is None:
                following.add(place)
            elif pattern.fullmatch(part):
                following.add(place + 1)
        places = _skip_any(following, wanted)
    return len(wanted) in places


def _skip_any(places: set[int], wanted: list[re.Pattern[str] | None]) -> set[int]:
    reached = set(places)
    for place in places:
        at = place
        while at < len(wanted) and wanted[at] is None:
            at += 1
            reached.add(at)
    return reached


def _pattern(part: str) -> re.Pattern[str] | None:
    if part == "**":
        return None
    words = re.split(r"(\*+|\?|\[!?\]?[^\]]*\])", part)
    return re.compile("".join(_word(word) for word in words), re.DOTALL)


def _word(word: str) -> str:
    if word.startswith("*"):
        return ".*"
    if word == "?":
        return "."
    if word.startswith("[") and word.endswith("]") and len(word) > len("[]"):
        inner = word[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        inner = f"^{inner[1:]}" if inner.startswith("!") else inner
        return f"[{inner.replace(']', chr(92) + ']')}]"
    return re.escape(word)


def _quota() -> int | None:
    """Processors that a container may use, by its quota; None without one."""
    try:
        allowed, period = _CPU_QUOTA.read_text(encoding="ascii").split()
        return None if allowed == "max" else math.ceil(int(allowed) / int(period))
    except (OSError, ValueError, ZeroDivisionError):
        return None

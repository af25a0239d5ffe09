"""Follows what the sources of a Playwright project name: files by a path, and packages that node_modules links to.

Whatever stands between quotation marks may be a name. That finds every import, and more, which does no harm.
"""

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from e2e_orchestrator.safety.regular import open_regular

_SOURCE = re.compile(r".+\.[cm]?[jt]sx?")
_LEFT_OUT = frozenset({"node_modules", "test-results", "playwright-report", "blob-report"})
_MOST_FILES = 5000
_BIGGEST_FILE = 4 << 20  # Nobody writes a larger one: it is a bundle.
_QUOTED = re.compile(rb"[\"'`](\.{1,2}/[^\"'`\n]+|(?:@[\w.~-]+/)?[\w~-][^\"'`\s]*)[\"'`]")
_PACKAGE = re.compile(r"(?:@[^/]+/)?[^/]+")
# What an import may leave out, and what it says for a TypeScript file.
_ENDINGS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_WRITTEN_AS = {".js": ".ts", ".jsx": ".tsx", ".mjs": ".mts", ".cjs": ".cts"}


def texts_below(folder: Path) -> Iterator[bytes | None]:
    """The sources of a folder, and all that they name elsewhere; None if that is more than can be looked through."""
    return _Reading(roots=[folder]).texts(_sources(folder))


def texts_from(file: Path) -> Iterator[bytes | None]:
    """A file, and all that it names; None as above."""
    return _Reading(roots=[]).texts([file])


def _sources(folder: Path) -> Iterator[Path]:
    """Without installed packages and results."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one not in _LEFT_OUT and not one.startswith("."))
        yield from (Path(here, name) for name in sorted(names) if _SOURCE.fullmatch(name))


@dataclass(slots=True, kw_only=True)
class _Reading:
    """``roots`` are folders all of whose sources are read, or going to be."""

    roots: list[Path]
    _seen: set[Path] = field(default_factory=set)
    _links: dict[Path, Mapping[str, Path]] = field(default_factory=dict)

    def texts(self, first: Iterable[Path]) -> Iterator[bytes | None]:
        waiting = deque([first])
        while waiting:
            for path in waiting.popleft():
                if path in self._seen:
                    continue
                self._seen.add(path)
                text = _text(path) if len(self._seen) <= _MOST_FILES else None
                yield text
                if text is None:
                    return
                for word in sorted(set(_QUOTED.findall(text))):
                    waiting.append(self._named(os.fsdecode(word), path.parent))

    def _named(self, word: str, folder: Path) -> Iterable[Path]:
        """The files that a word means, if it means any that are not read anyway."""
        if word.startswith("."):
            path = Path(os.path.normpath(folder / word))
            return () if self._is_read(path) else _file(path)
        found = _PACKAGE.match(word)
        package = self._linked(folder).get(found[0]) if found else None
        if package is None or self._is_read(package):
            return ()
        self.roots.append(package)
        return _sources(package)

    def _is_read(self, path: Path) -> bool:
        return any(path.is_relative_to(root) for root in self.roots)

    def _linked(self, folder: Path) -> Mapping[str, Path]:
        """What an import in this folder finds by its name and is not installed; the nearest counts."""
        if folder not in self._links:
            farther = self._linked(folder.parent) if folder.parent != folder else {}
            self._links[folder] = {**farther, **dict(_links(folder / "node_modules"))}
        return self._links[folder]


def _links(packages: Path, *, scope: str = "") -> Iterator[tuple[str, Path]]:
    """Packages that are links to a folder of somebody's sources: package managers also link what is installed."""
    try:
        entries = list(os.scandir(packages))
    except OSError:
        return
    for entry in entries:
        if entry.is_symlink():
            real = Path(os.path.realpath(entry.path))
            if real.is_dir() and "node_modules" not in real.parts:
                yield scope + entry.name, real
        elif entry.name.startswith("@") and not scope:
            yield from _links(Path(entry.path), scope=f"{entry.name}/")


def _file(path: Path) -> list[Path]:
    """The source that an import of this path takes; none if it is something else."""
    candidates = [
        path,
        *([path.with_suffix(_WRITTEN_AS[path.suffix])] if path.suffix in _WRITTEN_AS else []),
        *(Path(f"{path}{one}") for one in _ENDINGS),
        *(path / f"index{one}" for one in _ENDINGS),
    ]
    with suppress(OSError):  # Not every word could be the name of a file.
        return [one for one in candidates if _SOURCE.fullmatch(one.name) and one.is_file()][:1]
    return []


def _text(path: Path) -> bytes | None:
    """None if it cannot be read; what is not there, or no source, mentions nothing."""
    try:
        with open_regular(path) as file:
            text = file.read(_BIGGEST_FILE + 1)
    except FileNotFoundError:
        return b""
    except OSError:
        return None
    return text if len(text) <= _BIGGEST_FILE else b""

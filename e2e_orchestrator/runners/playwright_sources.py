"""What the sources of a Playwright project say about itself, found by looking for words in them.

Words prove an absence: what no source mentions, none depends on.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.safety.regular import open_regular

_SOURCE = re.compile(r".+\.[cm]?[jt]sx?")
_LEFT_OUT = frozenset({"node_modules", "test-results", "playwright-report", "blob-report"})
_MOST_FILES = 5000
_BIGGEST_FILE = 4 << 20  # Nobody writes a larger one: it is a bundle.
# Variables whose value is a test's own: one process cannot have those of several.
_OWN_WORLD = re.compile(rb"\bE2E_(TEST|MAX_ATTEMPTS|OUTPUT_DIR|EVENTS|ONLY)\b")
_OWN_SLOT = re.compile(rb"\bE2E_SLOT\b")
_WORKERS = re.compile(rb"\bworkers\b")
_PARALLEL = re.compile(rb"\bfullyParallel\b|[\"'`]parallel[\"'`]|describe\.parallel\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """Which words stand somewhere; ``unknown`` if there is more than can be looked through."""

    own_world: bool = False
    own_slot: bool = False
    workers: bool = False
    parallel: bool = False
    unknown: bool = False


def project_of(folder: Path) -> Path:
    """The project in which a folder lies: the nearest with a package.json, which is where sources are imported from; else this one."""
    return next((one for one in (folder, *folder.parents) if (one / "package.json").is_file()), folder)


def mentions(project: Path) -> Mentions:
    """What the sources of a project say."""
    found = {"own_world": False, "own_slot": False, "workers": False, "parallel": False}
    words = {"own_world": _OWN_WORLD, "own_slot": _OWN_SLOT, "workers": _WORKERS, "parallel": _PARALLEL}
    for number, path in enumerate(_sources(project)):
        if number >= _MOST_FILES:
            return Mentions(unknown=True)
        text = _text(path)
        if text is None:
            return Mentions(unknown=True)
        for name, word in words.items():
            found[name] = found[name] or word.search(text) is not None
    return Mentions(**found)


def _sources(project: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(project):
        folders[:] = sorted(one for one in folders if one not in _LEFT_OUT and not one.startswith("."))
        yield from (Path(here, name) for name in sorted(names) if _SOURCE.fullmatch(name))


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

"""What the sources of a Playwright project say about itself, found by looking for words in them.

Words prove an absence: what no source mentions, none depends on.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.runners.playwright_imports import texts_below

# Variables whose value is a test's own: one process cannot have those of several.
_OWN_WORLD = re.compile(rb"\bE2E_(TEST|MAX_ATTEMPTS|OUTPUT_DIR|EVENTS|ONLY)\b")
_OWN_SLOT = re.compile(rb"\bE2E_SLOT\b")
_WORKERS = re.compile(rb"\bworkers\b")
_FIXED_WORKERS = re.compile(rb"\bworkers\b[\"']?\s*:\s*\d+\s*(?:[,}]|//|/\*|$)", re.MULTILINE)
_PARALLEL = re.compile(rb"\bfullyParallel\b|[\"'`]parallel[\"'`]|describe\.parallel\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """Which words stand somewhere; ``unknown`` if there is more than can be looked through.

    ``fixed_workers``: a plain number of workers, the same on every machine.
    """

    own_world: bool = False
    own_slot: bool = False
    workers: bool = False
    fixed_workers: bool = False
    parallel: bool = False
    unknown: bool = False


_WORDS = {
    "own_world": _OWN_WORLD,
    "own_slot": _OWN_SLOT,
    "workers": _WORKERS,
    "fixed_workers": _FIXED_WORKERS,
    "parallel": _PARALLEL,
}


def project_of(folder: Path) -> Path:
    """The project in which a folder lies: the nearest with a package.json, which is where sources are imported from; else this one."""
    return next((one for one in (folder, *folder.parents) if (one / "package.json").is_file()), folder)


def mentions(project: Path) -> Mentions:
    """What the sources of a project say, and those of its workspace that they name."""
    found = dict.fromkeys(_WORDS, False)
    for text in texts_below(project):
        if text is None:
            return Mentions(unknown=True)
        for name, word in _WORDS.items():
            found[name] = found[name] or word.search(text) is not None
    return Mentions(**found)

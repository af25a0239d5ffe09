"""Lets a fork of a warm server start again, cold, where its project turns out to be another one than the server knew.

A ``conftest.py`` may set a variable that a package reads when it is imported, put a stand-in where a module was, or
a folder in front of the installed ones. In a process of its own it would have come first. Standard library only,
loaded by its path, into the interpreter of the tests.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType
    from typing import Any

TOLD = "E2E_OUTGROWN"
"""Names the file that says why; never seen by tests."""
AGAIN = "E2E_AGAIN"
"""Tells the plugin of the second start the mark of the first, which has opened the case stream."""

# pytest's own, and what our plugin takes back.
_OF_EVERY_ATTEMPT = frozenset(
    {"PYTHONPATH", "PYTEST_VERSION", "PYTEST_CURRENT_TEST", "E2E_RECORD_IMPORTS", TOLD}
)
_EVERYTHING = "*"
_BEFORE_ANY_PROJECT = frozenset({"pytest", "_pytest", "pluggy"})


class Watch:
    """What a fork took over from the server, and may have outgrown.

    ``reads`` are the packages that asked for a variable while they were imported; ``*`` those that asked for all.
    """

    def __init__(self, reads: Mapping[str, Iterable[str]]) -> None:
        # In a cold start too, pytest itself has been imported when the project's first line runs.
        late = {name: sorted(set(packages) - _BEFORE_ANY_PROJECT) for name, packages in reads.items()}
        self._reads = {name: packages for name, packages in late.items() if packages}
        self._held: dict[str, ModuleType] = {
            name: one for name, one in sys.modules.items() if name != "__main__"
        }
        self._packages = frozenset(name.partition(".")[0] for name in self._held)
        self._request: dict[str, Any] = {}
        self._told: str | None = None
        self._environ: dict[str, str] = {}
        self._path: frozenset[str] = frozenset()

    def begin(self, request: dict[str, Any]) -> None:
        """In the fork, before anything of the project runs and before it has its own environment."""
        self._told = request["env"].pop(TOLD, None)
        self._request = request
        self._environ = dict(request["env"])
        self._path = frozenset(sys.path)

    def start_again_if_outgrown(self, *, writer: str) -> None:
        """Becomes the cold start of the same attempt, in the same process."""
        found = self._changed()
        if found is None or self._told is None:
            return
        why, packages = found
        with open(self._told, "w", encoding="utf-8") as file:
            json.dump({"why": why, "packages": packages}, file)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):
                continue  # The project has closed it, or put something of its own there.
        os.chdir(self._request["cwd"])
        argv = self._request["argv"]
        os.execvpe(argv[0], argv, {**self._request["env"], AGAIN: writer})  # noqa: S606 - what the attempt is.

    def _changed(self) -> tuple[str, list[str]] | None:
        """What has, and which packages were imported too early for it."""
        for name, packages in self._reads.items():
            if name == _EVERYTHING:
                changed = self._variables()
                if changed:
                    return (
                        f"the project sets {changed[0]}, and {packages[0]} reads all variables at its import",
                        packages,
                    )
            elif name not in _OF_EVERY_ATTEMPT and os.environ.get(name) != self._environ.get(name):
                return f"the project sets {name}, which {packages[0]} reads at its import", packages
        for name, module in self._held.items():
            if sys.modules.get(name) is not module:
                return f"the project puts something else in the place of {name}", [name.partition(".")[0]]
        for folder in sys.path:
            if folder not in self._path and (hidden := self._packages & _names(folder)):
                return f"the project puts {folder} on sys.path, which has another {min(hidden)}", sorted(
                    hidden
                )
        return None

    def _variables(self) -> list[str]:
        now = dict(os.environ)
        differ = {name for name in {*now, *self._environ} if now.get(name) != self._environ.get(name)}
        return sorted(differ - _OF_EVERY_ATTEMPT)


def _names(folder: str) -> set[str]:
    """What could be imported from there; a folder without code is none."""
    try:
        found = {entry.name.partition(".")[0] for entry in os.scandir(folder) if _is_code(entry)}
    except OSError:
        return set()
    return found


def _is_code(entry: os.DirEntry[str]) -> bool:
    _, ending = os.path.splitext(entry.name)
    package = not ending and os.path.isfile(os.path.join(entry.path, "__init__.py"))
    return package or ending in (".py", ".so")

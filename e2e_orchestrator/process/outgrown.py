"""Lets a fork of a warm server start again, cold, where its project turns out to be another one than the server knew.

A ``conftest.py`` may set a variable that a package reads when it is imported, put a stand-in where a module was, or
a folder in front of the installed ones. In a process of its own it would have come first. Standard library only,
loaded by its path, into the interpreter of the tests.
"""

from __future__ import annotations

import atexit
import fnmatch
import json
import os
import signal
import sys
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType
    from typing import Any

    from e2e_orchestrator.process import tree
else:  # By its path, as we are loaded ourselves.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import tree

    del sys.path[0]

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
_GRACE = 3.0  # For what the project has started, between being asked to end and being killed.


class Watch:
    """What a fork took over from the server, and may have outgrown.

    ``reads`` are the packages that asked for a variable while they were imported; ``*`` those that asked for all.
    ``marked`` is whose assertions pytest has been asked to rewrite meanwhile.
    """

    def __init__(self, reads: Mapping[str, Iterable[str]], *, marked: Iterable[str]) -> None:
        # In a cold start too, pytest itself has been imported when the project's first line runs.
        late = {name: sorted(set(packages) - _BEFORE_ANY_PROJECT) for name, packages in reads.items()}
        self._reads = {name: packages for name, packages in late.items() if packages}
        self._held: dict[str, ModuleType] = {
            name: one for name, one in sys.modules.items() if name != "__main__"
        }
        self._packages = frozenset(name.partition(".")[0] for name in self._held)
        self._marked, self._rewriting = frozenset(marked), _Held(self._held)
        self._assertions: _Assertions | None = None
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

    def meet(self, hook: Any) -> None:
        """Takes pytest's import hook, before the project tells it whose assertions to rewrite."""
        try:
            self._assertions = _Assertions(hook, held=self._rewriting, marked=self._marked)
        except AttributeError:
            pass  # With `--assert=plain` there is none.

    def start_again_if_outgrown(self, *, writer: str, collected: bool = False) -> None:
        """Becomes the cold start of the same attempt, in the same process."""
        found = self._changed()
        if found is None and self._assertions is not None:
            found = self._assertions.changed(collected=collected)
        if found is None or self._told is None:
            return
        why, packages = found
        with open(self._told, "w", encoding="utf-8") as file:
            json.dump({"why": why, "packages": packages}, file)
        _end_what_was_begun(tender=self._request["tender"])
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


class _Held:
    """Modules by whether pytest has rewritten their assertions: names, and with the files that it has."""

    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        self.plain: set[str] = set()
        self.rewritten: dict[str, str] = {}
        for name, module in modules.items():
            try:
                told = vars(module)  # Not asked for by name: some import what they are asked for.
            except TypeError:
                continue  # It is no module.
            if name.partition(".")[0] in _BEFORE_ANY_PROJECT:
                continue
            if type(told.get("__loader__")).__name__ == "AssertionRewritingHook":
                self.rewritten[name] = os.path.basename(str(told.get("__file__")))
            elif "PYTEST_DONT_REWRITE" not in str(told.get("__doc__")):
                self.plain.add(name)


class _Assertions:
    """Which modules pytest would have rewritten, had the project imported them itself."""

    def __init__(self, hook: Any, *, held: _Held, marked: Iterable[str]) -> None:
        hook._must_rewrite.update(marked)  # noqa: SLF001 - mark_rewrite warns of what is there.
        hook._marked_for_rewrite_cache.clear()  # noqa: SLF001 - the same.
        self._plain = held.plain
        self._rewritten = {
            name
            for name, file in held.rewritten.items()
            if not any(fnmatch.fnmatch(file, pattern) for pattern in hook.fnpats)
        }
        self._hook, self._before = hook, frozenset(hook._must_rewrite)  # noqa: SLF001 - as above.
        # It would warn, and with an error instead of a warning nobody would know what it was asked for.
        hook._rewritten_names.update(dict.fromkeys(self._plain))  # noqa: SLF001 - as above.

    def changed(self, *, collected: bool) -> tuple[str, list[str]] | None:
        """Once all is ``collected``, nobody else is going to ask for what is rewritten already."""
        asked = self._hook._must_rewrite  # noqa: SLF001 - as above.
        if fresh := asked - self._before:
            for name in self._plain:
                if _is_among(name, fresh):
                    return f"the project has the assertions of {name} rewritten", [name.partition(".")[0]]
        for name in self._rewritten if collected else ():
            if not _is_among(name, asked):
                return f"the project does not have the assertions of {name} rewritten", [
                    name.partition(".")[0]
                ]
        return None


def _is_among(name: str, marked: Iterable[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in marked)


def _end_what_was_begun(*, tender: int) -> None:
    """So that a service or a folder that the project makes when it is loaded can be made again.

    As at the end of a process its exit handlers come first, which know best how. All but that of multiprocessing:
    it would wait for processes that the project ends only when its tests are over.
    """
    processes = sys.modules.get("multiprocessing.util")
    if processes is not None:
        atexit.unregister(vars(processes)["_exit_function"])
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter calls.
    for number in (signal.SIGTERM, signal.SIGKILL):
        until = monotonic() + _GRACE
        asked: set[int] = set()
        while (living := _begun(tender)) and monotonic() < until:
            for pid in living - asked:
                _send(pid, number)
            asked |= living
            sleep(0.01)


def _begun(tender: int) -> set[int]:
    """What lives of this process, and of what it has orphaned, which its tender has adopted."""
    own = os.getpid()
    while _reaped():
        pass
    above = tree.descendants_of(tender) if os.getppid() == tender else tree.descendants_of(own)
    return {pid for pid in above if pid != own and not tree.is_zombie(pid)}


def _reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except OSError:
        return False


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        pass  # Gone in the meantime.


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

"""What coverage.py would miss in forks of a warm server, because it ran before they were born.

Standard library only, loaded by its path, into the interpreter of the tests. A process that does nothing else starts
coverage.py over the modules that are there. In doubt a module counts as measured: it is imported once more often.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Any

# What `[run] patch` replaces: a module that took the original at its import goes past coverage.py.
_REPLACED = {"_exit": ("_exit",), "execv": ("execv", "execve")}


def packages(asked: Mapping[str, Any], *, kept: Collection[str], avoided: Collection[str]) -> dict[str, str]:
    """The packages that must not be imported ahead, with the reason.

    ``kept`` are modules that no server can do without, ``avoided`` the packages that it was to do without.
    One that is there nevertheless is held against pytest itself: then there is no such server.
    """
    try:
        found = _in_a_fork(asked)
    except (OSError, ValueError) as error:
        return {"pytest": f"coverage.py does not say what it measures: {error}"}
    inevitable = {*avoided, *(name.partition(".")[0] for name in kept)}
    for name in sorted(inevitable & found.keys()):
        return {"pytest": f"{found[name]}, and a server cannot do without it"}
    return found


def _in_a_fork(asked: Mapping[str, Any]) -> dict[str, str]:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reading)
            os.write(writing, json.dumps(_told(asked)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        text = file.read()
    os.waitpid(pid, 0)
    found: dict[str, str] = json.loads(text)
    return found


def _told(asked: Mapping[str, Any]) -> dict[str, str]:
    try:
        return dict(_missed(asked))
    except BaseException as error:
        return {"pytest": f"coverage.py cannot be asked: {type(error).__name__}: {error}"}


def _missed(asked: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Package and reason. Leaves the process in no state in which tests could run."""
    modules = {name: one for name, one in sys.modules.items() if name != "__main__"}
    from coverage import Coverage  # noqa: PLC0415 - only here, where nothing else runs.

    measuring: Any = Coverage(
        source=",".join(asked["source"]).split(","),  # As the command line takes them apart.
        branch=asked["branch"] or None,
        data_file=None,
        check_preimported=True,
    )
    named = [
        name for option in ("source", "source_pkgs") for name in measuring.get_option(f"run:{option}") or ()
    ]
    replaced = [getattr(os, name) for patch in _patches(measuring) for name in _REPLACED.get(patch, ())]
    late = _found_late(measuring)
    for name, module in modules.items():
        file, package = getattr(module, "__file__", None), name.partition(".")[0]
        # Of packages in its source it finds no module late, since it asks by the name of the file.
        if any(name == one or name.startswith(f"{one}.") for one in named) or any(
            f": {file} (already-imported)" in message for message in late
        ):
            yield package, f"{package} is measured by coverage.py"
        elif name not in ("os", os.name) and _holds(module, replaced):
            yield package, f"{package} holds what coverage.py replaces"


def _patches(measuring: Any) -> list[str]:
    """Those of its configuration, which are not applied here: some write files."""
    try:
        found = list(measuring.get_option("run:patch") or ())
        measuring.set_option("run:patch", [])
    except Exception:  # An old one has none.
        found = []
    return found


def _found_late(measuring: Any) -> list[str]:
    """What it warns of when it starts, whether it is to say so or not."""
    measuring.set_option("run:disable_warnings", [])
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        measuring.start()
        measuring.stop()
    return [str(one.message) for one in shown]


def _holds(module: types.ModuleType, originals: Iterable[object]) -> bool:
    values = list(getattr(module, "__dict__", {}).values())
    return any(value is one for one in originals for value in values)

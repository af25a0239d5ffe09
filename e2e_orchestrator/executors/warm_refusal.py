"""What speaks against a warm start before one is tried: decisions over names and words, and a look at folders."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from e2e_orchestrator.model.command import WarmStart
from e2e_orchestrator.model.plan import Warm

_MOST_FOLDERS = 300
# Variables that make the interpreter itself another one; none of them can be taken over by a fork.
_INTERPRETER = (
    *("PYTHONDEVMODE", "PYTHONTRACEMALLOC", "PYTHONPROFILEIMPORTTIME", "PYTHONINSPECT", "PYTHONDUMPREFS"),
    *("PYTHONMALLOC", "PYTHONMALLOCSTATS", "PYTHONOPTIMIZE", "PYTHONVERBOSE", "PYTHONDEBUG"),
)
_COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COV_CORE_SOURCE")
_ARGUMENTS = {
    "pytest-xdist is active": ("-n", "--numprocesses", "--dist", "--tx", "-d"),
    "coverage is active": ("--cov",),
    "a debugger is active": ("--pdb", "--trace"),
}


def refusal(warm: WarmStart, *, env: Mapping[str, str], attempt: int) -> str | None:
    """Why this attempt has to start cold, or None."""
    if sys.platform != "linux":
        return "warm starts need Linux"
    # A figure that a gate asks for is more than policy: two that measure the same process disturb each other.
    always = _COVERAGE if warm.coverage else ()
    names = always if warm.mode is Warm.ON else (*_INTERPRETER, *_COVERAGE)
    if name := next((name for name in names if env.get(name)), None):
        return f"{name} is set"
    if warm.mode is Warm.ON:
        return None
    for why, options in _ARGUMENTS.items():
        if any(_is(argument, option) for argument in warm.alike for option in options):
            return why
    if attempt > 1 and not env.get("PYTHONHASHSEED", "random").isdigit():
        return "a retry has a hash seed of its own"
    return None


def _is(argument: str, option: str) -> bool:
    if option.startswith("--"):
        return argument == option or argument.startswith((f"{option}=", f"{option}-"))
    return argument == option or (argument.startswith(option) and argument[len(option) :].isdigit())


def folders_of(target: Path, *, below: Path) -> list[Path] | None:
    """Where pytest may import from for this target: its folder, those above and those below it.

    None if there are too many to look through.
    """
    folder = target if target.is_dir() else target.parent
    found = [folder, *(one for one in folder.parents if one.is_relative_to(below))]
    if folder == target:
        for path, names, _ in os.walk(folder):
            names[:] = [name for name in names if name[0] not in "._" and name != "node_modules"]
            found.append(Path(path))
            if len(found) > _MOST_FOLDERS:
                return None
    return found

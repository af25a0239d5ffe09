"""Whether a target can be what it stands for: a path that exists, or a command line that needs no shell."""

import re
from collections.abc import Sequence
from pathlib import Path

from e2e_orchestrator.config.command_lines import split_command_line
from e2e_orchestrator.config.values import Refused
from e2e_orchestrator.planning.surroundings import Surroundings

_PLAYWRIGHT_LINE = re.compile(r":[0-9]+(:[0-9]+)?$")
_SPEC = re.compile(r"[\w@./-]+\.[cm]?[jt]sx?")


def missing_path(
    target: str, *, kind: str, args: Sequence[str], cwd: Path, surroundings: Surroundings
) -> str | None:
    """The path that the target names and that does not exist; None if all is well or nobody can know.

    Pytest takes paths, up to ``::``, unless ``--pyargs`` makes them modules. Playwright takes patterns for
    the end of a path: only what looks like a plain file is looked for, at any depth.
    """
    if kind == "pytest" and "--pyargs" not in args:
        path = target.partition("::")[0]
        return None if surroundings.exists(cwd / path) else path
    if kind == "playwright":
        path = _PLAYWRIGHT_LINE.sub("", target)
        plain = _SPEC.fullmatch(path) is not None
        if plain and not surroundings.exists(cwd / path) and not surroundings.glob(cwd, f"**/{path}"):
            return path
    return None


def unusable_command(target: str, *, kind: str) -> tuple[str, str | None] | None:
    """Why a command line starts no program, and a hint; whether there is that program, only the machine of the run knows."""
    if kind != "command":
        return None
    try:
        words = split_command_line(target)
    except Refused as error:
        return error.message, error.hint
    return None if words and words[0] else ("is an empty command line", "write a program and its arguments")

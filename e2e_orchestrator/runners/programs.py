"""Finds the programs and packages that a test needs, by looking at files only."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.plan import RunnerSpec, Test


def environment(*layers: Mapping[str, str]) -> dict[str, str]:
    """What a child would see: the caller's environment with these layers on top."""
    merged = dict(os.environ)
    for layer in layers:
        merged.update(layer)
    return merged


def find_program(name: str, *, cwd: Path, env: Mapping[str, str]) -> str | None:
    """The absolute path of a program on PATH, or of a file if the name has a slash."""
    if os.sep in name:
        path = cwd / name
        return str(path) if path.is_file() and os.access(path, os.X_OK) else None
    return shutil.which(name, path=env.get("PATH"))


def upwards(folder: Path) -> Iterator[Path]:
    """The folder and all above it."""
    yield folder
    yield from folder.parents


def find_upwards(folder: Path, *relative: str) -> Path | None:
    """The first file of one of these names in the folder or above it; the nearest folder wins."""
    return next((here / one for here in upwards(folder) for one in relative if (here / one).is_file()), None)


def find_python(spec: RunnerSpec, test: Test, *, env: Mapping[str, str]) -> str:
    """The interpreter of the project: asked for, else its ``.venv``, else the one we run in.

    Raises InfrastructureError if the one that was asked for does not exist.
    """
    if spec.python:
        found = find_program(spec.python, cwd=Path(spec.root), env=env)
        if found is None:
            raise InfrastructureError(
                f"runner {spec.name!r}: there is no python at {spec.python!r}",
                hint=f"create it (python -m venv …), or set runners.{spec.name}.python in phases.yaml",
            )
        return found
    for folder in (test.cwd, spec.root):
        own = Path(folder) / ".venv" / "bin" / "python"
        if own.is_file():
            return str(own)
    return sys.executable

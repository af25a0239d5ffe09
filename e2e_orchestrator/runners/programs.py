"""Finds the programs and packages that a test needs, by looking at files only."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.command import Command, Tool
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
    folders = env.get("PATH")
    return shutil.which(name) if folders is None else _on_path(name, folders)


def _on_path(name: str, folders: str) -> str | None:
    """Like ``shutil.which``, which looks twice into each folder. Every test asks anew: the one before may install."""
    for folder in folders.split(os.pathsep) if folders else ():
        found = os.path.join(folder, name)  # noqa: PTH118 - a path for every folder costs as much again.
        if os.access(found, os.X_OK) and not os.path.isdir(found):  # noqa: PTH112 - the same.
            return found
    return None


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
                f"there is no python at {spec.python!r} for runner {spec.name!r}", hint=_how_to_make(spec)
            )
        return found
    for folder in (test.cwd, spec.root):
        own = Path(folder) / ".venv" / "bin" / "python"
        if own.is_file():
            return str(own)
    return sys.executable


def _how_to_make(spec: RunnerSpec) -> str:
    """What to type for the interpreter of a virtual environment, which a path mostly means."""
    setting = f"runners.{spec.name}.python in phases.yaml"
    path = Path(spec.python or "")
    if path.parent.name != "bin":
        return f"install it, or correct {setting}"
    return f"{shlex.join(['python3', '-m', 'venv', str(path.parents[1])])}, or correct {setting}"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package that the interpreter of the tests has to have, and how one gets it there."""

    name: str
    module: str
    install: tuple[str, ...]
    otherwise: str = ""

    def missing(self, python: str) -> str:
        return f"{self.name} is missing in the interpreter of the tests ({python})"

    def hint(self, python: str) -> str:
        return f"{shlex.join([python, '-m', 'pip', 'install', *self.install])}{self.otherwise}"

    def tool(self, test: Test, *, python: str) -> Tool:
        """Asks the interpreter for the module from where the test would, with what decides what it finds."""
        env = {name: value for name, value in test.env.items() if name.startswith("PYTHON")}
        ask = Command(argv=(python, "-c", f"import {self.module}"), cwd=Path(test.cwd), env=env)
        return Tool(name=self.name, ask=ask, missing=self.missing(python), hint=self.hint(python))

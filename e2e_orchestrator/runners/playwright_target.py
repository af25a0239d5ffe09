"""Which files and which cases of a Playwright project a test is about, in Playwright's own terms."""

import json
import os
import re
from pathlib import Path

from e2e_orchestrator.model.command import AttemptSpec
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.safety.regular import open_regular

_LOCATION = re.compile(r"(?P<file>.+?)(?P<place>:\d+(?::\d+)?)")
_PLAIN_FILE = re.compile(r"[\w@./-]+\.[cm]?[jt]sx?")
_REGEX_CHARACTERS = re.compile(r"[.*+?^${}()|[\]\\/]")
_LAST_FAILED_SINCE = (1, 44)
_IDENTITIES = "playwright-cases.json"


def selection(spec: AttemptSpec, artifacts: Path, *, version: tuple[int, ...]) -> tuple[str, ...]:
    """Makes Playwright believe that these cases failed last, and asks for them; nothing means all."""
    if not spec.only or spec.previous is None or version < _LAST_FAILED_SINCE:
        return ()
    natives = _natives(spec.previous / _IDENTITIES, only=frozenset(spec.only))
    if not natives:
        return ()
    artifacts.mkdir(parents=True, exist_ok=True)
    last_run = {"status": "failed", "failedTests": natives}
    (artifacts / ".last-run.json").write_text(json.dumps(last_run), encoding="utf-8")
    return ("--last-failed",)


def _natives(identities: Path, *, only: frozenset[str]) -> list[str]:
    """Playwright's ids of these cases and of their serial groups; none if one of them is not known."""
    try:
        with open_regular(identities) as file:
            cases = json.load(file)
        groups = {case["group"] for case in cases if case["id"] in only and case.get("group")}
        known = {str(case["id"]) for case in cases}
        return [
            str(case["native"])
            for case in cases
            if only <= known and (case["id"] in only or case.get("group") in groups)
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def path_filter(test: Test) -> str:
    """Playwright takes regular expressions: a file becomes one that matches nothing else."""
    file, place = _target(test)
    if file is None:
        return test.target
    escaped = _REGEX_CHARACTERS.sub(r"\\\g<0>", str(file))
    return f"^{escaped}/" if file.is_dir() else f"^{escaped}${place}"


def _target(test: Test) -> tuple[Path | None, str]:
    """The absolute path of a target that exists, and what follows it (``:12`` or ``:12:3``)."""
    # Playwright knows its files by the real path of its working directory.
    cwd = Path(os.path.realpath(test.cwd))
    located = _LOCATION.fullmatch(test.target)
    candidates = [(test.target, "")] + ([(located["file"], located["place"])] if located else [])
    for name, place in candidates:
        path = Path(os.path.normpath(cwd / name))
        if path.exists():
            return path, place
    for name, place in candidates:
        if (deeper := _deeper(cwd, name)) is not None:
            return deeper, place
    return None, ""


def _deeper(folder: Path, name: str) -> Path | None:
    """The only file below the folder whose path ends so; None if there is none or a choice."""
    if not _PLAIN_FILE.fullmatch(name):
        return None
    found = []
    for here, folders, _ in os.walk(folder):
        folders[:] = [one for one in folders if one != "node_modules" and not one.startswith(".")]
        if (path := Path(here) / name).is_file():
            found.append(path)
    return found[0] if len(found) == 1 else None


def own_path(test: Test) -> Path | None:
    """The file or folder that a test is all about; None for a place in a file and for a pattern."""
    path, place = _target(test)
    return None if place else path


def own_file(test: Test) -> str | None:
    path, _ = _target(test)
    return str(path) if path is not None and path.is_file() else None

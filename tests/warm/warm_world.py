"""Projects with an interpreter of their own, so that packages can be installed for it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

from support.project import Finished, Project

import e2e_orchestrator
from e2e_orchestrator.model import events


def interpreter(folder: Path, packages: dict[str, str]) -> Path:
    """A virtual environment that also sees ours, with these modules installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    ours = Path(e2e_orchestrator.__file__).parents[
        1
    ]  # An editable install is not in the folder of the others.
    (site / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ours}\n")
    for name, text in packages.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(dedent(text))
    return folder / "bin" / "python"


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """One run, by the name of the test: what is reported of it, and what it told."""

    run: Finished

    def seen(self, name: str) -> dict[str, Any]:
        """What must not depend on how it was started."""
        test = self.run.tests[f"p/{name}"]
        return {
            "verdict": (test["status"], test["reason"]),
            "exits": [attempt["exit_status"] for attempt in test["attempts"]],
            "leaks": [
                [leak["command"] for leak in attempt.get("leaked", [])] for attempt in test["attempts"]
            ],
            "cases": {case["id"]: (case["status"], _first_line(case["message"])) for case in test["cases"]},
            "facts": self.facts(name),
            "files": {
                file: self.file(name, file)
                for file in ("exit", "thread", "left_open")
                if self.file(name, file) is not None
            },
            "printed": self.last_line(name),
        }

    def facts(self, name: str) -> dict[str, Any]:
        text = self.file(name, "facts.json")
        loaded: dict[str, Any] = json.loads(text) if text else {}
        return loaded

    def file(self, name: str, file: str, *, attempt: int = 1) -> str | None:
        path = self.run.folder / "p" / name / f"attempt-{attempt}" / file
        return path.read_text(errors="replace") if path.is_file() else None

    def last_line(self, name: str) -> str:
        """pytest's own summary, without its time."""
        lines = (self.file(name, "output.log") or "").splitlines()
        found = [line for line in lines if line.startswith("=") and " in " in line]
        return found[-1].partition(" in ")[0].strip("= ") if found else ""

    @property
    def chosen(self) -> list[tuple[str, str]]:
        found = [one.event for one in self.run.journal if isinstance(one.event, events.StartChosen)]
        return [(one.way, one.why) for one in found]


@dataclass(frozen=True, kw_only=True)
class Both:
    """One project, started by itself and forked from servers."""

    cold: Attempts
    warm: Attempts


def _first_line(message: str | None) -> str:
    return (message or "").partition("\n")[0]


def planned(project: Project, python: Path, tests: dict[str, Any], **runner: Any) -> Project:
    config = {
        "version": 1,
        "runners": {"r": {"kind": "pytest", "python": str(python), **runner}},
        "phases": [
            {"name": "p", "runner": "r", "retries": 0, "timeout": 300, "required": False, "tests": tests}
        ],
    }
    (project.root / "phases.yaml").write_text(json.dumps(config))
    return project


def run(
    project: Project, *arguments: str, fresh: bool = False, env: dict[str, str] | None = None
) -> Attempts:
    """Each run in an output folder that only keeps what is learned."""
    output = project.root / "test-results"
    if fresh:
        shutil.rmtree(output, ignore_errors=True)
    shutil.rmtree(output / "runs", ignore_errors=True)
    surroundings = {name: "" for name in os.environ if name.startswith(("PYTEST_", "COV"))}
    surroundings["PYTHONDONTWRITEBYTECODE"] = ""  # Compiled once, as for anybody else.
    return Attempts(
        run=project.run("--workers", "4", "--order", "file", *arguments, env={**surroundings, **(env or {})})
    )


def kept(attempts: Attempts, folder: Path) -> Attempts:
    """In a folder of its own: the next run takes the one it is in away."""
    shutil.copytree(attempts.run.folder, folder / "runs" / "kept")
    shutil.copy(attempts.run.output / "e2e-results.json", folder)
    finished = attempts.run
    return Attempts(
        run=type(finished)(
            exit_code=finished.exit_code, stdout=finished.stdout, stderr=finished.stderr, output=folder
        )
    )

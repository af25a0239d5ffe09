"""Our own program as a contestant: small projects, and how it is called."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from table import Sample, command

ROOT = Path(__file__).parents[1]
PROGRAM = (sys.executable, "-m", "e2e_orchestrator")
# So that a checkout measures itself, whatever is installed.
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}


def phases(folder: Path, made: Sequence[Mapping[str, Any]]) -> None:
    """A phases.yaml of plain commands; JSON is YAML."""
    config = {
        "version": 1,
        "project": "bench",
        "timeout": "2h",
        "retries": 0,
        "runners": {"r": {"kind": "command"}},
        "phases": [{"runner": "r", **phase} for phase in made],
    }
    (folder / "phases.yaml").write_text(json.dumps(config), encoding="utf-8")


def ours(folder: Path, *arguments: str, codes: Sequence[int] = (0,)) -> Sample:
    return command([*PROGRAM, *arguments], cwd=folder, env=ENVIRONMENT, codes=codes)


def newest_run(folder: Path) -> Path:
    return max((folder / "test-results" / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)

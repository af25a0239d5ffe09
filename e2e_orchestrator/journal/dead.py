"""What runs left that were killed together with everything that would have cleaned up after them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.journal.digest import has_finished
from e2e_orchestrator.journal.lock import guarded
from e2e_orchestrator.journal.runs import Run, runs_below

_HALF_WRITTEN = re.compile(r"\.[0-9a-f]{16}\.tmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The runs below an output folder; each stands in one of the lists, the newest first."""

    alive: tuple[Run, ...]
    dead: tuple[Run, ...]
    finished: tuple[Run, ...]


def sorted_runs(output: Path) -> Sorted:
    """A run is dead if nobody holds its lock and its journal does not say that it finished."""
    alive: list[Run] = []
    dead: list[Run] = []
    finished: list[Run] = []
    for run in runs_below(output):
        # In this order: a run that finishes meanwhile is then taken for alive, never for dead.
        lives = run.alive
        (alive if lives else finished if has_finished(run) else dead).append(run)
    return Sorted(alive=tuple(alive), dead=tuple(dead), finished=tuple(finished))


def half_written(output: Path) -> list[Path]:
    """Files that were to be renamed when they were whole; at the top of the folder only if no run goes on."""
    runs = output / "runs"
    if not runs.is_dir():
        return []
    with guarded(runs):  # No run can start in between and have its file taken for a dead one's.
        told = sorted_runs(output)
        found = [path for run in told.dead for path in _temporary(run.folder.rglob(".*.tmp"))]
        if told.dead and not told.alive:
            found += _temporary(output.glob(".*.tmp"))
    return found


def _temporary(paths: Iterator[Path]) -> list[Path]:
    return [path for path in paths if _HALF_WRITTEN.fullmatch(path.name) and path.is_file()]

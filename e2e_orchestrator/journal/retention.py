"""How many earlier runs are kept, and the removal of the others.

Nothing that goes on is touched, nor the newest run that finished, nor what that one carries over from.
A run that is removed gets a hidden name first, at once and as a whole: whoever looks sees all of it or
nothing, and a removal that is cut short is completed by the next.
"""

import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from e2e_orchestrator.journal.digest import Digest, carried_from, digest, has_finished
from e2e_orchestrator.journal.keep import Keep
from e2e_orchestrator.journal.lock import guarded
from e2e_orchestrator.journal.runs import Run, runs_below
from e2e_orchestrator.model.names import CONTAINERS, DATABASES
from e2e_orchestrator.process.remains import remains_of

_TRASH = ".removed-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A run as the choice sees it: ``safe`` from removal whatever the limits say."""

    run: Run
    started: datetime | None
    safe: bool


def choose(known: Sequence[Known], keep: Keep, *, now: datetime, size_of: Callable[[Run], int]) -> list[Run]:
    """The runs to remove; ``known`` has the newest first."""
    oldest = now - timedelta(days=keep.days) if keep.days is not None else None
    total = 0
    removed = []
    for number, one in enumerate(known, start=1):
        # What is not needed is not measured: that would read every folder of every run.
        total += size_of(one.run) if keep.size is not None else 0
        too_many = keep.runs is not None and number > keep.runs
        too_old = oldest is not None and one.started is not None and one.started < oldest
        too_big = keep.size is not None and total > keep.size
        if (too_many or too_old or too_big) and not one.safe:
            removed.append(one.run)
    return removed


def sweep(output: Path, keep: Keep, *, now: datetime | None = None) -> list[Run]:
    """Removes what the limits leave out; the runs that are gone. Raises OSError if that cannot be done."""
    known = _known(output)
    chosen = choose(known, keep, now=now or datetime.now(UTC), size_of=lambda run: size_of(run.folder))
    # Without its folder nobody could tell any more that a process was left by a dead run.
    needed = {one.run_id for one in remains_of({run.id for run in chosen if not has_finished(run)})}
    # The same of databases and containers: a run that could not remove what it made has it in a ledger.
    ledgers = (DATABASES, CONTAINERS)
    needed |= {run.id for run in chosen if any((run.folder / name).exists() for name in ledgers)}
    chosen = [run for run in chosen if run.id not in needed]
    remove(chosen, runs=output / "runs")
    return chosen


def remove(runs_to_go: Iterable[Run], *, runs: Path) -> None:
    """Removes runs, and what an earlier removal left; those that are alive by now stay."""
    if not runs.is_dir():
        return
    for run in runs_to_go:
        with guarded(runs):
            if not run.alive:
                run.folder.rename(runs / f"{_TRASH}{run.id}")
    for rest in runs.glob(f"{_TRASH}*"):
        shutil.rmtree(rest, ignore_errors=True)


class Sweeping:
    """A sweep beside the ending of a run: it delays nothing, and nothing that goes wrong in it counts."""

    def __init__(self, output: Path, keep: Keep) -> None:
        self._thread = threading.Thread(target=self._sweep, args=(output, keep), daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """A moment for it to finish; what it does not get done is for the next run."""
        self._thread.join(seconds)

    @staticmethod
    def _sweep(output: Path, keep: Keep) -> None:
        try:
            sweep(output, keep)
        except OSError:
            return  # A folder that belongs to somebody else: the verdict of this run is none of its business.


def size_of(folder: Path) -> int:
    """Bytes of the files below it; links are not followed."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - much the quickest way.
            except OSError:
                continue  # Gone in the meantime.
    return total


def _known(output: Path) -> list[Known]:
    runs = runs_below(output)
    told = [digest(run) for run in runs]
    precious = _precious(told)
    return [
        Known(run=run, started=one.age_from, safe=run.id in precious or one.status == "running")
        for run, one in zip(runs, told, strict=True)
    ]


def _precious(told: Sequence[Digest]) -> Collection[str]:
    """The newest run that finished, and those whose evidence its reports point to."""
    newest = next((one for one in told if one.finished), None)
    needed = [one for one in told if one is newest or one.status == "running"]
    return {one.folder.name for one in needed} | {
        name for one in needed for name in carried_from(Run(folder=one.folder))
    }

"""The run that ``--baseline`` names: found and read before anything starts."""

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from e2e_orchestrator.cli.earlier import read_run
from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.history.baseline import baseline_of_results, baseline_of_run
from e2e_orchestrator.journal.runs import JOURNAL, LATEST, Run, find_run, runs_below
from e2e_orchestrator.model.baseline import Baseline, BaselineChosen
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.safety.redact import mask_for

RESULTS = "e2e-results.json"


def baseline_of(
    words: str | None, *, output: Path, own: Collection[Path] = (), before: Run | None = None
) -> Baseline | None:
    """``latest``, a run's id, its folder, its journal, or the results that another machine wrote.

    ``own`` are folders of runs that ``latest`` cannot mean, because they are what is compared; with
    ``before`` it is the newest run before that one. Secrets of this environment are masked in it: who wrote
    it may have known none. Raises UsageError for what cannot be read.
    """
    if not words:
        return None
    return _found(words, output=output, own=own, before=before).masked(mask_for(os.environ).text)


def _found(words: str, *, output: Path, own: Collection[Path], before: Run | None) -> Baseline:
    if words == LATEST:
        return _latest(output, own=own, before=before)
    path = Path(words)
    if path.is_dir() and not (path / JOURNAL).is_file() and (path / RESULTS).is_file():
        path /= RESULTS
    if path.is_file() and not _is_journal(path):
        return baseline_of_results(path)
    _exists(words, path)
    run = find_run(words, output=output)
    if path.is_file():
        return baseline_of_run(read_run(run, journal=path.absolute()).state)
    if run.folder in own:
        raise UsageError(
            f"run {run.id} cannot be compared with itself", hint="name another: e2e-orchestrate history"
        )
    if run.alive:
        raise UsageError(
            f"run {run.id} is still going on",
            hint="wait for its end, or name another: e2e-orchestrate history",
        )
    return baseline_of_run(read_run(run).state)


def compared_with(envelopes: Sequence[Envelope], baseline: Baseline | None) -> tuple[Envelope, ...]:
    """The run's events with this baseline instead of the one it had; as they are without one."""
    if baseline is None:
        return tuple(envelopes)
    first, *rest = (one for one in envelopes if not isinstance(one.event, BaselineChosen))
    chosen = replace(first, event=BaselineChosen(baseline=baseline))
    return tuple(replace(one, seq=number) for number, one in enumerate((first, chosen, *rest), start=1))


def _is_journal(path: Path) -> bool:
    """By what stands in it: a journal may have been given any name."""
    if path.suffix == ".jsonl":
        return True
    try:
        with path.open("rb") as file:
            return file.read(7) == b'{"seq":'
    except OSError:
        return False


def _exists(words: str, path: Path) -> None:
    """An id holds no slash and no dot: what looks like a file is not looked for among the runs."""
    if not path.exists() and ("/" in words or path.suffix):
        raise UsageError(
            f"there is no {words} to compare with",
            hint="give a run's id, its folder, its journal.jsonl, or an e2e-results.json",
        )


def _latest(output: Path, *, own: Collection[Path], before: Run | None) -> Baseline:
    """A run that ended before its first event, or whose journal was damaged, stands in nobody's way."""
    runs = runs_below(output)
    if before and before.folder in (folders := [run.folder for run in runs]):
        runs = runs[folders.index(before.folder) + 1 :]
    for run in runs:
        if run.journal.is_file() and run.folder not in own and not run.alive:
            with suppress(UsageError):
                return baseline_of_run(read_run(run).state)
    what = f"before {before.id}" if before else f"below {output}"
    raise UsageError(
        f"there is no run {what} to compare with",
        hint="leave --baseline away, or name a run's folder or an e2e-results.json",
    )

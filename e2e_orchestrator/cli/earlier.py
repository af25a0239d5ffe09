"""Which earlier run a command is about, and what its journal tells."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from e2e_orchestrator.cli.load_plan import DEFAULT_OUTPUT, LoadedPlan
from e2e_orchestrator.config.load import load_config
from e2e_orchestrator.errors import OrchestratorError, UsageError
from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.journal.runs import Run, find_run
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import RunState, fold
from e2e_orchestrator.planning.rerun import Rerun, plan_rerun
from e2e_orchestrator.safety.redact import redactor_for

_NAMES_OUTPUT = re.compile(r"^['\"]?output['\"]?\s*:", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A run that was: everything its journal holds."""

    run: Run
    envelopes: tuple[Envelope, ...]
    state: RunState
    torn: bool
    unknown: int


def read_run(run: Run, *, journal: Path | None = None) -> Earlier:
    """Raises UsageError for a journal that cannot be read, or tells nothing."""
    path = journal or run.journal
    reader = JournalReader(path)
    envelopes = tuple(reader)
    if not envelopes:
        raise UsageError(
            f"{path} is empty: the run ended before its first event",
            hint="`e2e-orchestrate history` lists others",
        )
    try:
        state = fold(envelopes)
    except (LookupError, StopIteration) as error:
        raise UsageError(
            f"{path} tells of something that its plan does not have: {error}",
            hint="this file was edited; use the one in the run's own folder",
        ) from error
    return Earlier(run=run, envelopes=envelopes, state=state, torn=reader.torn, unknown=reader.unknown)


def rerun_of(words: str, *, loaded: LoadedPlan, asked: bool, output: Path) -> Rerun:
    """What a rerun of that run comes to. Raises UsageError if there is none, or if it goes on."""
    run, path = find_run(words, output=output), Path(words)
    if run.alive:
        raise UsageError(
            f"run {run.id} is still going on",
            hint="wait for its end, or name another: e2e-orchestrate history",
        )
    earlier = read_run(run, journal=path.absolute() if path.is_file() else None)
    redactor = redactor_for(loaded.full, os.environ)
    rerun = plan_rerun(
        loaded.full, chosen=loaded.plan, earlier=earlier.state, asked=asked, mask=redactor.text
    )
    return replace(rerun, elsewhere=run.output.resolve() != output.resolve())


def output_folder(asked: Path | None, *, config: Path) -> Path:
    """Where runs lie: what was asked for, else what the file says if there is one, else the default.

    A file that is wrong is no reason to refuse a look at runs that were.
    """
    if asked is not None:
        return asked.absolute()
    try:
        # Reading the whole file properly costs a tenth of a second; few name a folder.
        if _NAMES_OUTPUT.search(config.read_text(encoding="utf-8", errors="replace")):
            loaded = load_config(config, environ=os.environ)
            if loaded.model.output is not None:
                return (loaded.root / loaded.model.output).absolute()
    except (OSError, OrchestratorError):
        pass
    return DEFAULT_OUTPUT.absolute()

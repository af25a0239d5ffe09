"""The runs below an output folder, and which of them somebody means."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.journal.lock import LOCK, is_alive
from e2e_orchestrator.model.shortened import shortened

JOURNAL = "journal.jsonl"
LATEST = "latest"
_BEGAN = re.compile(rb'\{"seq":1,"at":"([^"]{1,40})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's own folder; its name is the run's id."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def journal(self) -> Path:
        return self.folder / JOURNAL

    @property
    def output(self) -> Path:
        """The output folder that this run's paths start from."""
        return self.folder.parent.parent

    @property
    def alive(self) -> bool:
        return is_alive(self.folder)


def runs_below(output: Path) -> list[Run]:
    """All runs of an output folder, the newest first; none if there is no such folder."""
    try:
        folders = [one for one in (output / "runs").iterdir() if _is_run(one)]
    except OSError:
        return []
    return [Run(folder=folder) for folder in sorted(folders, key=_age, reverse=True)]


def find_run(words: str, *, output: Path) -> Run:
    """The run that is meant by ``latest``, an id, the beginning of one, a run's folder or a journal.

    ``latest`` is the newest that does not go on any more. Raises UsageError if that names no run,
    several, or nothing at all.
    """
    refuse_empty(words)
    path = Path(words)
    if path.is_file():
        return Run(folder=path.absolute().parent)
    if (path / JOURNAL).is_file():
        return Run(folder=path.absolute())
    runs = [run for run in runs_below(output) if run.journal.is_file()]
    if not runs:
        raise UsageError(
            f"there is no run below {output}", hint="--output FOLDER names the folder that the run wrote to"
        )
    if words == LATEST:
        return _latest(runs, output=output)
    found = [run for run in runs if run.id == words] or [run for run in runs if run.id.startswith(words)]
    if len(found) != 1:
        what = f"{words!r} is the beginning of {len(found)} runs" if found else f"there is no run {words!r}"
        raise UsageError(f"{what} below {output}", hint=f"there are: {_named(found or runs)}")
    return found[0]


def refuse_empty(words: str) -> None:
    """Raises UsageError for the name that a variable without a value leaves: it is no path and no beginning."""
    if not words.strip():
        raise UsageError(
            "no run is named: its name is empty",
            hint="is a variable not set? `latest` is the newest run, `e2e-orchestrate history` lists all",
        )


def _latest(runs: Sequence[Run], *, output: Path) -> Run:
    ended = next((run for run in runs if not run.alive), None)
    if ended is None:
        raise UsageError(
            f"no run below {output} has ended yet", hint=f"name one of those that go on: {_named(runs)}"
        )
    return ended


def _named(runs: Sequence[Run]) -> str:
    return shortened([run.id for run in runs])


def _is_run(folder: Path) -> bool:
    """Nobody else's folder is taken for a run: runs may be removed."""
    own = (folder / JOURNAL).is_file() or (folder / LOCK).is_file()
    return own and not folder.name.startswith(".") and not folder.is_symlink()


def _age(folder: Path) -> tuple[str, str]:
    """Two runs that began in one second are told apart by the time of their first event."""
    stamp = "".join(re.findall(r"\d+", folder.name[:15]))
    return stamp, next(_began(folder / JOURNAL), "")


def _began(journal: Path) -> Iterator[str]:
    try:
        with journal.open("rb") as file:
            if found := _BEGAN.match(file.read(80)):
                yield found[1].decode("ascii", "replace")
    except OSError:
        return

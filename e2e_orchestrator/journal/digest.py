"""What the first and the last lines of a journal tell of a run, without reading what is between."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from e2e_orchestrator.journal.runs import Run

_LONGEST_FIRST_LINE = 64 << 20
_TAIL, _LINES = 64 << 10, 20
_FINISHED = "run_finished"

Json = Mapping[str, Any]  # Any: a tree of plain JSON values.


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A run in one line. ``status`` is ``go``, ``no go``, ``running`` or ``unfinished``.

    ``started_at`` is ISO 8601; ``duration`` in seconds, of an unfinished run up to its last event.
    ``counts`` holds planned tests under ``tests``, and their ends if the run finished.
    """

    run_id: str
    folder: Path
    status: str
    started_at: str | None = None
    exit_code: int | None = None
    why: str | None = None
    duration: float = 0.0
    rerun_of: str | None = None
    counts: Mapping[str, int]

    @property
    def finished(self) -> bool:
        return self.exit_code is not None

    @property
    def age_from(self) -> datetime | None:
        """When it started, with its time zone; None if nobody knows."""
        try:
            moment = datetime.fromisoformat(self.started_at or "")
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.astimezone()


def digest(run: Run) -> Digest:
    """Never raises: of a run without a readable journal nothing is known but that it did not finish."""
    alive = run.alive
    first, last, mono = _ends(run.journal)
    if first is None:
        return Digest(
            run_id=run.id, folder=run.folder, status="running" if alive else "unfinished", counts={}
        )
    plan = first.get("plan") or {}
    planned = sum(len(phase.get("tests", ())) for phase in plan.get("phases", ()))
    known = Digest(
        run_id=str(first.get("run_id") or run.id),
        folder=run.folder,
        status="running" if alive else "unfinished",
        started_at=first.get("started_at"),
        duration=mono,
        rerun_of=first.get("rerun_of"),
        counts={"tests": planned},
    )
    if last is None:
        return known
    return replace(
        known,
        status="go" if last.get("success") else "no go",
        exit_code=last.get("exit_code"),
        why=last.get("why"),
        duration=last.get("duration") or mono,
        counts={"tests": planned, **(last.get("counts") or {})},
    )


def has_finished(run: Run) -> bool:
    """Whether its journal says so."""
    try:
        with run.journal.open("rb") as file:
            return any(event.get("type") == _FINISHED for event, _ in _backwards(file))
    except OSError:
        return False


def _ends(journal: Path) -> tuple[Json | None, Json | None, float]:
    """The event run_started, the last run_finished, and the time of the last event."""
    try:
        with journal.open("rb") as file:
            line = file.readline(_LONGEST_FIRST_LINE)
            first = _parsed(line) if line.endswith(b"\n") else None
            mono, last = 0.0, None
            for event, at in _backwards(file):
                mono = max(mono, at)
                if event.get("type") == _FINISHED:
                    last = event
                    break
    except OSError:
        return None, None, 0.0
    return first[0] if first else None, last, mono


def _backwards(file: BinaryIO) -> Iterator[tuple[Json, float]]:
    """The whole lines at the end of the file, the last first; after RunFinished only reporters have a say."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    lines = file.read(_TAIL).split(b"\n")[:-1]  # What follows the last line break is torn, or nothing.
    whole = lines if size <= _TAIL else lines[1:]
    for line in whole[: -_LINES - 1 : -1]:
        if parsed := _parsed(line):
            yield parsed


def _parsed(line: bytes) -> tuple[Json, float] | None:
    try:
        raw: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match raw:
        case {"event": dict(event), "mono": float() | int() as mono}:
            return event, float(mono)
        case _:
            return None


def carried_from(run: Run) -> set[str]:
    """The runs whose evidence this one's reports point to: that stands at the beginning of its journal."""
    found: set[str] = set()
    try:
        with run.journal.open("rb") as lines:
            for line in lines:
                parsed = _parsed(line)
                match parsed[0] if parsed else None:
                    case {"type": "test_carried_over", "from_run": str(name)}:
                        found.add(name)
                    case {"type": "run_started" | "warned"}:
                        continue
                    case _:
                        break
    except OSError:
        return found
    return found

"""Real journals on disk, written by the writer itself from stories or raw lines."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from e2e_orchestrator.journal.writer import JournalWriter
from e2e_orchestrator.model.events import Envelope


def written(folder: Path, envelopes: Sequence[Envelope]) -> Path:
    """The journal of these envelopes, with the folder of its run."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = JournalWriter(folder / "journal.jsonl")
    for envelope in envelopes:
        writer.append(envelope)
    writer.close()
    return writer.path


def a_run(
    output: Path,
    run_id: str,
    *,
    exit_code: int | None = 0,
    started_at: str = "2026-03-01T12:00:00+00:00",
    carried_from: Sequence[str] = (),
    size: int = 0,
) -> Path:
    """The folder of a run with a journal of as few lines as there can be; ``None``: it never finished."""
    events: list[dict[str, Any]] = [
        {
            "type": "run_started",
            "run_id": run_id,
            "started_at": started_at,
            "plan": {"phases": [{"tests": [1, 2]}]},
        }
    ]
    events += [{"type": "test_carried_over", "from_run": name} for name in carried_from]
    events.append({"type": "phase_started", "phase": "p"})
    if exit_code is not None:
        counts = {"tests": 2, "passed": 2 - bool(exit_code), "failed": int(bool(exit_code)), "flaky": 1}
        events.append(
            {
                "type": "run_finished",
                "exit_code": exit_code,
                "success": not exit_code,
                "duration": 1.5,
                "why": "because",
                "counts": counts,
            }
        )
    folder = output / "runs" / run_id
    folder.mkdir(parents=True)
    lines = [
        json.dumps(
            {"seq": seq, "at": started_at, "mono": float(seq), "event": event, "schema": 1},
            separators=(",", ":"),
        )
        for seq, event in enumerate(events, start=1)
    ]
    (folder / "journal.jsonl").write_text("".join(f"{line}\n" for line in lines))
    if size:
        with (folder / "trace.zip").open("wb") as file:
            os.truncate(file.fileno(), size)
    return folder

"""``e2e-orchestrate history``: the runs of an output folder, from the first and last lines of their journals."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from e2e_orchestrator.cli.earlier import output_folder
from e2e_orchestrator.cli.options import color_option, config_option, option, output_option
from e2e_orchestrator.journal.digest import Digest, digest
from e2e_orchestrator.journal.runs import runs_below
from e2e_orchestrator.reporters.wording import duration

SCHEMA = 1
_HEADINGS = ("run", "when", "verdict", "tests", "passed", "failed", "skipped", "flaky", "duration", "")
_COLORS = {"go": "green", "no go": "red", "running": "cyan", "unfinished": "yellow"}
_VERDICT = _HEADINGS.index("verdict")


@click.command("history")
@config_option
@output_option
@option("--limit", type=click.IntRange(1), metavar="N", help="Only the newest N runs.")
@option("--json", "as_json", is_flag=True, help="For programs; `schema` counts the versions of its shape.")
@color_option
def history(*, config: Path, output: Path | None, limit: int | None, as_json: bool, color: str) -> None:
    """List the runs below --output, the newest first: when, how they ended, with what counts.

    A run that is `unfinished` was killed before it could end: `e2e-orchestrate clean` ends what it left.
    """
    folder = output_folder(output, config=config)
    told = [digest(run) for run in runs_below(folder)[:limit]]
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "runs": [to_json(one) for one in told]}, indent=2))
    elif not told:
        click.echo(f"there is no run below {folder}")
    else:
        colored = color == "always" or (color == "auto" and sys.stdout.isatty())
        click.echo("\n".join(_table(told, colored=colored)), color=colored)


def to_json(one: Digest) -> dict[str, Any]:
    """``exit_code``, ``why`` and the ends in ``counts`` are missing or null for a run that did not finish."""
    return {
        "run_id": one.run_id,
        "folder": str(one.folder),
        "status": one.status,
        "started_at": one.started_at,
        "exit_code": one.exit_code,
        "why": one.why,
        "duration": one.duration,
        "rerun_of": one.rerun_of,
        "counts": dict(one.counts),
    }


def _table(told: Sequence[Digest], *, colored: bool) -> list[str]:
    rows = [_row(one) for one in told]
    widths = [max(len(row[column]) for row in (_HEADINGS, *rows)) for column in range(len(_HEADINGS))]
    lines = [_aligned(_HEADINGS, widths, color="")]
    lines += [
        _aligned(row, widths, color=_COLORS[one.status] if colored else "")
        for row, one in zip(rows, told, strict=True)
    ]
    return lines


def _row(one: Digest) -> tuple[str, ...]:
    counts = [
        str(one.counts[name]) if name in one.counts else "-"
        for name in ("tests", "passed", "failed", "skipped", "flaky")
    ]
    verdict = one.status if one.exit_code in (None, 0) else f"{one.status} ({one.exit_code})"
    rerun = f"rerun of {one.rerun_of}" if one.rerun_of else ""
    return one.run_id, _when(one), verdict, *counts, duration(one.duration), rerun


def _when(one: Digest) -> str:
    moment: datetime | None = one.age_from
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else "-"


def _aligned(row: Sequence[str], widths: Sequence[int], *, color: str) -> str:
    """Words to the left, numbers to the right."""
    cells = [
        cell.rjust(width) if 3 <= column <= 8 else cell.ljust(width)  # noqa: PLR2004 - the columns of numbers.
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    if color:
        cells[_VERDICT] = click.style(cells[_VERDICT], fg=color)
    return "  ".join(cells).rstrip()

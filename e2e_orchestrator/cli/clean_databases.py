"""The part of `clean` that looks at databases: what dead runs left on the servers of phases.yaml."""

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from e2e_orchestrator.config.load import load_config
from e2e_orchestrator.errors import OrchestratorError
from e2e_orchestrator.isolation.bases import Surrounds
from e2e_orchestrator.isolation.directory import SLOTS
from e2e_orchestrator.isolation.driver import Orphan, Owner
from e2e_orchestrator.isolation.names import Marker
from e2e_orchestrator.isolation.orphans import find_orphans
from e2e_orchestrator.journal.lock import is_alive
from e2e_orchestrator.journal.runs import Run
from e2e_orchestrator.planning.build import build_plan
from e2e_orchestrator.safety.redact import mask_for


def clean_databases(config: Path, *, everything: bool, dry_run: bool) -> list[str]:
    """What was removed, a line each; what could not be asked or removed is said on standard error.

    A file without the word ``isolation`` never made anything on a server.
    """
    try:
        if "isolation" not in config.read_text(encoding="utf-8", errors="replace"):
            return []
        plan = build_plan(load_config(config, environ=os.environ))
    except (OSError, OrchestratorError) as error:
        if config.exists():
            _complain(f"databases were not looked at: {error}")
        return []
    owner = Owner(run_id="clean", folder=Path.cwd())
    around = Surrounds(plan=plan, environ=os.environ, owner=owner, rules=plan.safeguards)
    return asyncio.run(_clean(around, everything=everything, dry_run=dry_run))


def clean_slots(runs: Sequence[Run], *, dry_run: bool) -> Iterator[str]:
    """Folders and files of slots: a run that ends removes its own."""
    for run in runs:
        folder = run.folder / SLOTS
        if folder.is_dir() and not folder.is_symlink():
            if not dry_run:
                shutil.rmtree(folder, ignore_errors=True)
            yield f"{'would remove' if dry_run else 'removed'} the slots of run {run.id}: {folder}"


async def _clean(around: Surrounds, *, everything: bool, dry_run: bool) -> list[str]:
    host = around.owner.host

    def dead(marker: Marker) -> bool:
        return marker.host != host or not is_alive(Path(marker.folder))

    found, silent = await find_orphans(around, dead=dead, kept=everything)
    for error in silent:
        _complain(error.message)
    return [said for orphan in found if (said := await _remove(orphan, dry_run=dry_run))]


async def _remove(orphan: Orphan, *, dry_run: bool) -> str | None:
    if not dry_run:
        try:
            await orphan.remove()
        except OrchestratorError as error:
            _complain(f"{orphan.name} at {orphan.where} cannot be removed: {error}")
            return None
    done = "would remove" if dry_run else "removed"
    return f"{done} {orphan.name} of run {orphan.run_id} at {orphan.where}"


def _complain(text: str) -> None:
    click.echo(mask_for(os.environ).text(text), err=True)

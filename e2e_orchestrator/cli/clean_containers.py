"""The part of ``clean`` that removes the containers of dead runs: they belong to their engine, which outlives any run."""

import os
from collections.abc import Iterator, Sequence

import click

from e2e_orchestrator.config.mistakes import printable
from e2e_orchestrator.journal.runs import Run
from e2e_orchestrator.services.compose import project_of
from e2e_orchestrator.services.containers import noted


def clean_containers(runs: Sequence[Run], *, dry_run: bool) -> Iterator[str]:
    """What was removed, a line each; what could not be is said on standard error."""
    for run in runs:
        for containers in noted(run.folder):
            if not containers.project.startswith(f"{project_of(run.id, '')}-"):
                continue  # A folder may come from anywhere: it can speak of its own run only.
            what = f"containers, networks and volumes of {containers.project} ({containers.engine})"
            if dry_run:
                yield f"would remove {what}"
            elif complaint := containers.remove(run.folder, environ=os.environ):
                click.echo(printable(f"{what} are left: {complaint}"), err=True)
            else:
                yield f"removed {what}"

"""The part of ``clean`` that drops the Django test databases of dead runs.

What is started is what phases.yaml says, never what a run's folder says: that may come from anywhere.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from e2e_orchestrator.config.load import load_config
from e2e_orchestrator.config.mistakes import printable
from e2e_orchestrator.errors import OrchestratorError
from e2e_orchestrator.journal.runs import Run
from e2e_orchestrator.model.plan import Plan
from e2e_orchestrator.planning.build import build_plan
from e2e_orchestrator.runners.django_databases import SlotDatabases, not_dropped
from e2e_orchestrator.runners.programs import environment, find_python

_KINDS = frozenset({"django", "pytest"})
_SECONDS = 60.0


def drop_databases(runs: Sequence[Run], *, config: Path, dry_run: bool) -> list[str]:
    """What was dropped, a line each; what could not be is said on standard error."""
    owing = {run: left for run in runs if (left := not_dropped(run.folder))}
    if not owing:
        return []
    if dry_run:
        return [f"would drop database {name} of run {run.id}" for run, left in owing.items() for name in left]
    try:
        makers = list(_makers(build_plan(load_config(config, environ=os.environ))))
    except OrchestratorError as error:
        click.echo(f"databases of dead runs were not dropped: {printable(str(error))}", err=True)
        return []
    done = []
    for run, left in owing.items():
        for maker in makers:
            _drop(maker, run)
        still = set(not_dropped(run.folder))
        done += [f"dropped database {name} of run {run.id}" for name in left if name not in still]
        for name in sorted(still):
            click.echo(
                f"database {printable(name)} of run {run.id} is left: no test of {config} makes such a one, "
                "or its server does not answer",
                err=True,
            )
    return done


def _makers(plan: Plan) -> Iterator[SlotDatabases]:
    """What may have made databases, with the interpreters and environments that its tests have now."""
    for spec in plan.runners:
        if spec.kind in _KINDS and spec.slot_databases:
            databases = SlotDatabases(spec)
            for test in plan.tests:
                if test.runner == spec.name:
                    databases.expect(test, python=find_python(spec, test, env=environment(test.env)))
            yield databases


def _drop(maker: SlotDatabases, run: Run) -> None:
    for command in maker.closing(run_id=run.id, folder=run.folder):
        try:
            subprocess.run(
                command.argv,
                cwd=command.cwd,
                env=environment(command.env),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue  # What is left is told by the ledger.

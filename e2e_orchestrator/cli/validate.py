"""``e2e-orchestrate validate``: is phases.yaml right, and does everything exist that it names?"""

from pathlib import Path

import click

from e2e_orchestrator.cli.load_plan import load_plan
from e2e_orchestrator.cli.options import Selection, config_option
from e2e_orchestrator.planning.guarding import refuse_production


@click.command("validate")
@config_option
def validate(config: Path) -> None:
    """Check phases.yaml and run nothing.

    Exit code 0 if all is well; 2 with every mistake, its line and its column; 6 if a target looks like production.
    """
    plan = load_plan(Selection(config=config)).plan
    refuse_production(plan)
    counts = (
        _counted(len(plan.phases), "phase"),
        _counted(len(plan.tests), "test"),
        _counted(len(plan.runners), "runner"),
        _counted(len(plan.services), "service"),
    )
    click.echo(f"{config} is right: {', '.join(counts)}")
    click.echo("checked: keys, values, variables, names, runners, folders, globs, target files, safeguards")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

"""``e2e-orchestrate clean``: ends what dead runs left running, and removes what nobody needs any more."""

from collections.abc import Sequence
from pathlib import Path

import click

from e2e_orchestrator.cli.clean_containers import clean_containers
from e2e_orchestrator.cli.clean_databases import clean_databases, clean_slots
from e2e_orchestrator.cli.clean_django import drop_databases
from e2e_orchestrator.cli.earlier import output_folder
from e2e_orchestrator.cli.options import config_option, option, output_option
from e2e_orchestrator.config.mistakes import printable
from e2e_orchestrator.config.values import format_size
from e2e_orchestrator.journal.dead import half_written, sorted_runs
from e2e_orchestrator.journal.retention import remove, size_of
from e2e_orchestrator.journal.runs import Run
from e2e_orchestrator.model.names import CONTAINERS
from e2e_orchestrator.process.remains import CAN_LOOK, Remnant, end_remains, remains_of
from e2e_orchestrator.runners.django_databases import not_dropped


@click.command("clean")
@config_option
@output_option
@option("--all", "everything", is_flag=True, help="Also remove every run that does not go on.")
@option("--dry-run", is_flag=True, help="Only say what would be done.")
def clean(*, config: Path, output: Path | None, everything: bool, dry_run: bool) -> None:
    """End the processes that dead runs below --output left, and remove what they left half written or owned.

    That includes containers of compose files, and databases on the servers that phases.yaml names; --all
    also removes templates that were kept.

    Test databases of Django that they made are dropped by the interpreters that phases.yaml names.

    A run is dead if its own process is gone and its journal does not say that it finished. Its journal
    and evidence stay, for `replay` and `--rerun`, unless --all is given. Runs that go on are not touched.
    """
    folder = output_folder(output, config=config)
    told = sorted_runs(folder)
    dead = {run.id for run in told.dead}
    done = [_say_ended(one, dry_run=dry_run) for one in _end(dead, dry_run=dry_run)]
    stuck = [] if dry_run else remains_of(dead)
    for one in stuck:
        click.echo(f"process {one.pid} cannot be ended: {printable(one.command)}", err=True)
    done += clean_containers((*told.dead, *told.finished), dry_run=dry_run)
    done += [_remove_file(path, dry_run=dry_run) for path in half_written(folder)]
    done += clean_slots(told.dead, dry_run=dry_run)
    done += clean_databases(config, everything=everything, dry_run=dry_run)
    done += drop_databases(told.dead, config=config, dry_run=dry_run)
    if everything:
        # Without its folder nobody could tell any more that a process, a container or a database is a dead run's.
        kept = {one.run_id for one in stuck}
        gone = [run for run in told.dead if run.id not in kept and not not_dropped(run.folder)]
        gone = [run for run in (*gone, *told.finished) if dry_run or not (run.folder / CONTAINERS).exists()]
        done += _remove_runs(gone, output=folder, dry_run=dry_run)
    elif not dry_run:
        remove((), runs=folder / "runs")  # The rest of a removal that was cut short.
    for line in done:
        click.echo(printable(line))
    _say_the_rest(len(told.alive), dead=len(dead), done=len(done), output=folder)


def _end(dead: set[str], *, dry_run: bool) -> Sequence[Remnant]:
    return remains_of(dead) if dry_run else end_remains(lambda: remains_of(dead))


def _say_ended(one: Remnant, *, dry_run: bool) -> str:
    return f"{'would end' if dry_run else 'ended'} process {one.pid} of run {one.run_id}: {one.command}"


def _remove_file(path: Path, *, dry_run: bool) -> str:
    if not dry_run:
        path.unlink(missing_ok=True)
    return f"{'would remove' if dry_run else 'removed'} half-written file {path}"


def _remove_runs(runs: Sequence[Run], *, output: Path, dry_run: bool) -> list[str]:
    said = [f"run {run.id} ({format_size(size_of(run.folder))})" for run in runs]
    if not dry_run:
        remove(runs, runs=output / "runs")
        said = [words for words, run in zip(said, runs, strict=True) if not run.folder.exists()]
    return [f"{'would remove' if dry_run else 'removed'} {words}" for words in said]


def _say_the_rest(alive: int, *, dead: int, done: int, output: Path) -> None:
    if not CAN_LOOK:
        click.echo("this system does not let us look for processes: end what is left by hand", err=True)
    if not done:
        click.echo(f"nothing to clean below {output}")
    if alive:
        click.echo(f"{alive} {'run goes' if alive == 1 else 'runs go'} on: not touched")
    if dead and not done:
        click.echo(
            f"{dead} dead {'run' if dead == 1 else 'runs'} left nothing behind; --all removes their folders"
        )

"""``e2e-orchestrate merge``: the runs of all shards as one run, with one verdict and any reports."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import click

from e2e_orchestrator import plugins
from e2e_orchestrator.cli.baseline import baseline_of
from e2e_orchestrator.cli.boundary import tell as tell_error
from e2e_orchestrator.cli.earlier import output_folder, read_run
from e2e_orchestrator.cli.options import Reporting, config_option, option, run_options
from e2e_orchestrator.cli.replay import tell
from e2e_orchestrator.cli.run import RunCommand, leave, reporter_choices
from e2e_orchestrator.engine.verdict import counts
from e2e_orchestrator.errors import InfrastructureError, OrchestratorError, UsageError
from e2e_orchestrator.history.durations import remember
from e2e_orchestrator.history.learning import learn
from e2e_orchestrator.journal.runs import JOURNAL, Run, find_run, refuse_empty, runs_below
from e2e_orchestrator.merging.merge import Merged, merge
from e2e_orchestrator.merging.parts import Part, as_part
from e2e_orchestrator.protocols import ReporterContext

_DEFAULT = ("console", "json")


@click.command("merge", cls=RunCommand)
@click.argument("runs", metavar="RUN...", nargs=-1)
@config_option
@run_options
@option(
    "--durations",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also remember in this file how long the tests took.",
)
def merge_command(
    runs: tuple[str, ...], reporting: Reporting, *, config: Path, durations: Path | None
) -> None:
    """Put the runs of all shards together, and say go or no go for the whole.

    RUN is an output folder, of which the newest run counts, a run's folder, its journal.jsonl or its id.
    Every shard of one plan has to be there, once: a missing one is exit code 5. The union becomes a run of
    its own below --output. The last line on standard error is that of `run`: E2E_RESULT {…}.
    """
    try:
        words, reports = _told_apart(runs, reporting.report)
        output = output_folder(reporting.output, config=config)
        parts = [_part(word, output=output) for word in words]
        own = [part.run.folder for part in parts]
        baseline = baseline_of(reporting.baseline, output=output, own=own)
        merged = merge(parts, output=output, baseline=baseline)
        broken = asyncio.run(_report(merged, reports, reporting=reporting, output=output))
        if durations and (warning := remember(durations.absolute(), learn(merged.state))):
            click.echo(f"e2e-orchestrate: {warning}", err=True)
        if broken and merged.verdict.success:
            said = "; ".join(f"report {name!r} failed: {error}" for name, error in broken.items())
            raise InfrastructureError(said, hint="use --output PATH with a folder you may write")
    except OrchestratorError as error:
        tell_error(error)
        leave(error.exit_code, why=error.message)
    finished = merged.state.finished
    leave(
        merged.verdict.exit_code,
        why=merged.verdict.why,
        run_id=merged.state.run_id,
        more={
            "duration": round(finished.duration, 3) if finished else None,
            **counts(merged.state),
            "results": str(output / "e2e-results.json"),
            "run_folder": str(merged.run.folder),
        },
    )


def _told_apart(runs: tuple[str, ...], reports: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """``--report json a b`` swallows the runs: a word that is no reporter and exists is one of them."""
    swallowed = tuple(word for word in reports if Path(word).exists() and not _is_reporter(word))
    words = (*runs, *swallowed)
    if not words:
        raise UsageError(
            "merge needs the runs of the shards",
            hint="write `e2e-orchestrate merge results-1 results-2`: the output folder of each shard",
        )
    named = tuple(word for word in reports if word not in swallowed)
    plugins.know_reporters(word.partition("=")[0] for word in named)  # Refused before anything is written.
    return words, named


def _is_reporter(word: str) -> bool:
    with suppress(UsageError):
        plugins.reporter(word.partition("=")[0])
        return True
    return False


def _part(word: str, *, output: Path) -> Part:
    run, journal = _find(word, output=output)
    if run.alive:
        raise UsageError(f"run {run.id} is still going on", hint="wait for its end")
    earlier = read_run(run, journal=journal)
    if earlier.unknown:
        said = f"run {run.id}: {earlier.unknown} events of a newer version were left out"
        click.echo(f"e2e-orchestrate: {said}", err=True)
    return as_part(run, envelopes=earlier.envelopes, state=earlier.state)


def _find(word: str, *, output: Path) -> tuple[Run, Path | None]:
    """Of an output folder the newest run: what lay there before is of another day."""
    refuse_empty(word)
    path = Path(word)
    if path.is_file():
        return Run(folder=path.absolute().parent), path.absolute()
    if path.is_dir() and not (path / JOURNAL).is_file():
        found = runs_below(path.absolute())
        if not found:
            raise UsageError(
                f"there is no run below {path.absolute()}",
                hint="did the job of this shard keep its output folder?",
            )
        return found[0], None
    return find_run(word, output=output), None


async def _report(
    merged: Merged, words: tuple[str, ...], *, reporting: Reporting, output: Path
) -> dict[str, str]:
    reporters = {}
    for choice in reporter_choices(words or _DEFAULT, asked=True):
        context = ReporterContext(
            output=output,
            run_folder=merged.run.folder,
            path=choice.path,
            color=reporting.color,
            verbosity=reporting.verbosity,
            environ=os.environ,
            live=False,
        )
        reporters[choice.name] = plugins.reporter(choice.name)(context)
    return await tell(merged.envelopes, reporters)

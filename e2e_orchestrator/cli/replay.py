"""``e2e-orchestrate replay``: any report of a run that was, from its journal alone."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import click

from e2e_orchestrator import plugins
from e2e_orchestrator.cli.baseline import baseline_of, compared_with
from e2e_orchestrator.cli.earlier import Earlier, output_folder, read_run
from e2e_orchestrator.cli.options import Reporting, config_option, run_options
from e2e_orchestrator.cli.run import reporter_choices
from e2e_orchestrator.cli.variadic import VariadicCommand
from e2e_orchestrator.errors import InfrastructureError, UsageError
from e2e_orchestrator.journal.runs import LATEST, Run, find_run, runs_below
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.protocols import Reporter, ReporterContext
from e2e_orchestrator.session import ReporterChoice

_DEFAULT = ("console",)
_UNFINISHED = 1
_REPLAYS = "replay"


@click.command("replay", cls=VariadicCommand)
@click.argument("run", metavar="[RUN]", required=False)
@config_option
@run_options
def replay(run: str | None, reporting: Reporting, *, config: Path) -> int:
    """Make reports of a run from its journal; by default on the console, of the latest run.

    RUN is `latest`, a run's id or the beginning of one, a run's folder, or a journal.jsonl. It is looked
    for below --output, which is also where reports are written. Without --output those of the newest run
    are written where they were, those of any other into its own folder.

    The exit code is that of the run; 1 if it never finished.
    """
    name, words = _told_apart(run, reporting.report)
    found, journal = _find(name, reporting=reporting, config=config)
    earlier = read_run(found, journal=journal)
    baseline = baseline_of(reporting.baseline, output=found.output, own=[found.folder], before=found)
    choices = reporter_choices(words or _DEFAULT, asked=True)
    reporters = {one.name: plugins.reporter(one.name)(_context(one, earlier, reporting)) for one in choices}
    broken = asyncio.run(tell(compared_with(earlier.envelopes, baseline), reporters))
    _say_what_is_missing(earlier)
    code = earlier.state.finished.exit_code if earlier.state.finished else _UNFINISHED
    if broken and code == 0:
        said = "; ".join(f"report {name!r} failed: {error}" for name, error in broken.items())
        raise InfrastructureError(said, hint="use --output PATH with a folder you may write")
    return code


async def tell(envelopes: Sequence[Envelope], reporters: Mapping[str, Reporter]) -> dict[str, str]:
    """Feeds them all; who broke, and of what. Those that close last do so here as well."""
    broken: dict[str, str] = {}
    for name, reporter in sorted(reporters.items(), key=lambda one: _closes_last(one[1])):
        try:
            try:
                for envelope in envelopes:
                    await reporter.handle(envelope)
            finally:
                await reporter.close()
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - no plug-in is trusted.
            broken[name] = f"{type(error).__name__}: {error}"
            click.echo(f"e2e-orchestrate: report {name!r} failed: {broken[name]}", err=True)
    return broken


def _closes_last(reporter: Reporter) -> bool:
    return bool(getattr(reporter, "closes_last", False))


def _told_apart(run: str | None, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """``--report json latest`` swallows the run: its last word is one, unless a reporter has that name."""
    if run is None and len(words) > 1:
        with suppress(UsageError):
            plugins.reporter(words[-1].partition("=")[0])
            return LATEST, words
        return words[-1], words[:-1]
    return LATEST if run is None else run, words


def _find(name: str, *, reporting: Reporting, config: Path) -> tuple[Run, Path | None]:
    """The run, and its journal if that was named as a file; ``--output`` need not hold any run yet."""
    path = Path(name)
    output = output_folder(reporting.output, config=config)
    if reporting.output is not None and not runs_below(output):
        output = output_folder(None, config=config)
    return find_run(name, output=output), path.absolute() if path.is_file() else None


def _context(choice: ReporterChoice, earlier: Earlier, reporting: Reporting) -> ReporterContext:
    """Of the console all is as it was; file reports go where they overwrite no newer run's."""
    run = earlier.run
    written = run.output
    if reporting.output is not None:
        written = reporting.output.absolute()
    elif not _is_newest(run):
        written = run.folder / _REPLAYS
    console = choice.name in _DEFAULT
    return ReporterContext(
        output=run.output if console else written,
        run_folder=run.folder if console or written == run.output else written / "runs" / run.id,
        path=choice.path,
        color=reporting.color,
        verbosity=reporting.verbosity,
        environ=os.environ,
        live=False,
        evidence=run.output,
    )


def _is_newest(run: Run) -> bool:
    runs = runs_below(run.output)
    return bool(runs) and runs[0].folder == run.folder


def _say_what_is_missing(earlier: Earlier) -> None:
    run, said = earlier.run, []
    if earlier.state.finished is None:
        alive = run.alive
        said.append(f"run {run.id} is still going on" if alive else f"run {run.id}: this run never finished")
    if earlier.torn:
        said.append("the last line of its journal is torn: what it said is lost")
    if earlier.unknown:
        said.append(f"{earlier.unknown} events of a newer version were left out")
    for one in said:
        click.echo(f"e2e-orchestrate: {one}", err=True)

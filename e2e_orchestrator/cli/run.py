"""``e2e-orchestrate run``: the gate itself; options in, exit code and one machine-readable line out."""

import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from e2e_orchestrator import plugins, session
from e2e_orchestrator.cli.baseline import baseline_of
from e2e_orchestrator.cli.boundary import (
    BUG,
    INTERRUPTED,
    USAGE,
    masked,
    tell,
    tell_bug,
    tell_misuse,
    unprinted,
)
from e2e_orchestrator.cli.earlier import rerun_of
from e2e_orchestrator.cli.load_plan import (
    LoadedPlan,
    Memory,
    Results,
    recall_durations,
    settle_plan,
    settle_results,
)
from e2e_orchestrator.cli.options import Reporting, Selection, option, run_options, selection_options
from e2e_orchestrator.cli.plan import show
from e2e_orchestrator.cli.variadic import VariadicCommand
from e2e_orchestrator.config.load import load_config
from e2e_orchestrator.errors import OrchestratorError, UsageError
from e2e_orchestrator.history.last_green import with_last_green
from e2e_orchestrator.journal.runs import LATEST
from e2e_orchestrator.planning.guarding import refuse_production
from e2e_orchestrator.planning.rerun import Rerun
from e2e_orchestrator.session import Options, ReporterChoice

_THREADS_SECONDS = 1.0

Ended = TypeVar("Ended")


class RunCommand(VariadicCommand):
    """A run that ends before it begins also says so in its last line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if ctx.resilient_parsing:
                raise
            tell_misuse(error)
            leave(USAGE, why=error.format_message())


@click.command("run", cls=RunCommand)
@selection_options
@run_options
@option(
    "--rerun",
    metavar="latest|RUN",
    help="Run what failed, was cut short or is new since that run; what passed there still counts.",
)
@option("--last-failed", is_flag=True, help="Short for --rerun latest.")
@option("--dry-run", is_flag=True, help="Show the plan and stop: nothing is started.")
@option("--keep-services", is_flag=True, help="After the last test, let the services run until Ctrl-C.")
def run(  # noqa: PLR0913 - one for each option.
    selection: Selection,
    reporting: Reporting,
    *,
    rerun: str | None,
    last_failed: bool,
    dry_run: bool,
    keep_services: bool,
) -> None:
    """Run the phases in the order of the file, and say go or no go.

    The last line on standard error is machine readable: E2E_RESULT {…}.
    """
    wish = _Wish(rerun=rerun, last_failed=last_failed, dry_run=dry_run, keep_services=keep_services)
    try:
        result = _carried_out(selection, reporting, wish)
    except OrchestratorError as error:
        tell(error)
        leave(error.exit_code, why=error.message)
    except KeyboardInterrupt:
        leave(INTERRUPTED, why="interrupted by SIGINT")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the last line is promised for every end of a run.
        if isinstance(error, OSError) and (unread := unprinted(error)) is not None:
            leave(unread, why=f"what is printed cannot be written: {error.strerror}")
        tell_bug(sys.argv[1:])
        leave(BUG, why=f"a bug of ours: {type(error).__name__}: {error}")
    if result is None:
        leave(0, why="a dry run: nothing was started")
    leave(
        result.exit_code,
        why=result.why,
        run_id=result.run_id,
        more={
            "duration": round(result.duration, 3),
            **result.counts,
            "results": str(result.folder.parents[1] / "e2e-results.json"),
            "run_folder": str(result.folder),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What only this command has options for."""

    rerun: str | None
    last_failed: bool
    dry_run: bool
    keep_services: bool


def _carried_out(selection: Selection, reporting: Reporting, wish: _Wish) -> session.Result | None:
    """None of a dry run, which only shows the plan."""
    config = load_config(selection.config, environ=os.environ)
    results = settle_results(reporting, config)
    again = wish.rerun is not None or wish.last_failed
    chosen = replace(selection, shard=None) if again else selection
    baseline = baseline_of(reporting.baseline, output=results.output)
    memory = recall_durations(selection, config, output=results.output)
    loaded = settle_plan(config, chosen, memory=memory)
    earlier = _rerun(
        wish.rerun, last_failed=wish.last_failed, loaded=loaded, selection=selection, results=results
    )
    options = _options(results, reporting, loaded=loaded, rerun=earlier, memory=memory)
    if wish.dry_run:
        for warning in (*options.warnings, *(earlier.warnings if earlier else ())):
            click.echo(f"e2e-orchestrate: {masked(warning)}", err=True)
        show(earlier.shown if earlier else loaded.plan, color=reporting.color)
        refuse_production(loaded.plan)
        return None
    options = replace(options, keep_services=wish.keep_services, baseline=baseline)
    plan = with_last_green(earlier.plan if earlier else loaded.plan, output=results.output)
    return _to_its_end(session.run(plan, options))


def _to_its_end(main: Coroutine[Any, Any, Ended]) -> Ended:
    """Like asyncio.run, but waits for no thread: what is stuck in one must not outlive the verdict."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        executor = loop.__dict__.get("_default_executor")
        if executor:
            executor.shutdown(wait=False, cancel_futures=True)
        loop.close()


def _rerun(
    words: str | None, *, last_failed: bool, loaded: LoadedPlan, selection: Selection, results: Results
) -> Rerun | None:
    if last_failed and words not in (None, LATEST):
        raise UsageError("--last-failed and --rerun name different runs", hint="use one of them")
    if words is None and not last_failed:
        return None
    asked = bool(selection.phase or selection.test or selection.tag)
    found = rerun_of(LATEST if words is None else words, loaded=loaded, asked=asked, output=results.output)
    part = found.shard
    if selection.shard and (part is None or (part.index, part.count) != selection.shard):
        asked_for = "/".join(map(str, selection.shard))
        raise UsageError(
            f"run {found.of} is not shard {asked_for} of what would run now",
            hint="a rerun continues the part that its run was: leave --shard away",
        )
    return found


def _options(
    results: Results, reporting: Reporting, *, loaded: LoadedPlan, rerun: Rerun | None, memory: Memory
) -> Options:
    shard = rerun.shard if rerun else loaded.shard
    return Options(
        output=results.output,
        reporters=reporter_choices(results.reporters, asked=results.asked),
        color=reporting.color,
        verbosity=reporting.verbosity,
        environ=dict(os.environ),
        rerun=rerun,
        shard=shard,
        # What one shard learned would make the next one split differently: `merge` writes for all.
        durations=None if shard else memory.path,
        warnings=memory.recalled.warnings,
        keep=results.keep,
    )


def reporter_choices(words: Sequence[str], *, asked: bool) -> tuple[ReporterChoice, ...]:
    """``name`` or ``name=path``; the path starts where one stands. Raises UsageError for unknown names."""
    choices = []
    plugins.know_reporters(dict.fromkeys(word.partition("=")[0] for word in words))
    for word in dict.fromkeys(words):
        name, _, path = word.partition("=")
        place = Path(path).absolute() if path else None
        choices.append(ReporterChoice(name=name, path=place, asked=asked))
    return tuple(choices)


def leave(
    code: int, *, why: str, run_id: str | None = None, more: Mapping[str, Any] | None = None
) -> NoReturn:
    """The promised last line, then the exit code."""
    line = {"exit_code": code, "success": code == 0, "run_id": run_id, "why": masked(why), **(more or {})}
    with contextlib.suppress(OSError, ValueError):  # Nobody reads standard error: the code still counts.
        sys.stdout.flush()
        print(f"E2E_RESULT {json.dumps(line)}", file=sys.stderr, flush=True)
    _leave_threads_behind(code)
    raise SystemExit(code)


def _leave_threads_behind(code: int) -> None:
    """The interpreter would wait for every thread; one that is stuck (a reporter, a judge) must not hold us."""
    until = time.monotonic() + _THREADS_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                os._exit(code)

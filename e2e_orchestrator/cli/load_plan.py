"""From options to a selected plan: the flag wins over the environment, that over the file, that over the default.

Click has settled the first two; here they meet the file.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from e2e_orchestrator import plugins
from e2e_orchestrator.cli.asked import Reporting, Selection
from e2e_orchestrator.cli.commands import COMMANDS
from e2e_orchestrator.config.load import LoadedConfig, load_config
from e2e_orchestrator.config.mistakes import Mistake
from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.history.durations import FILE, Recalled, recall
from e2e_orchestrator.isolation.bases import Surrounds
from e2e_orchestrator.isolation.driver import Owner
from e2e_orchestrator.isolation.outlook import checked_bases
from e2e_orchestrator.journal.keep import Keep
from e2e_orchestrator.model.plan import Plan, Shard
from e2e_orchestrator.planning.build import Overrides, build_plan
from e2e_orchestrator.planning.durations import forecast
from e2e_orchestrator.planning.guarding import check_targets
from e2e_orchestrator.planning.others_ports import with_ports_of_others
from e2e_orchestrator.planning.selection import select
from e2e_orchestrator.planning.sharding import split
from e2e_orchestrator.safety.redact import redactor_for

DEFAULT_OUTPUT = Path("test-results")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPlan:
    """``plan`` is what was selected of ``full``; with ``shard``, the part of that which runs here."""

    plan: Plan
    full: Plan
    config: LoadedConfig
    shard: Shard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The file that durations are remembered in, and what it knows."""

    path: Path
    recalled: Recalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Where results go (absolute), and to which reporters; ``asked`` if somebody named them for this run."""

    output: Path
    reporters: tuple[str, ...]
    asked: bool
    keep: Keep


def load_plan(selection: Selection, *, environ: Mapping[str, str] = os.environ) -> LoadedPlan:
    """The part of the plan that was asked for.

    Raises ConfigError, UsageError or NothingToRun; see :func:`load_config`, :func:`build_plan` and
    :func:`select`.
    """
    return settle_plan(load_config(selection.config, environ=environ), selection, environ=environ)


def settle_plan(
    config: LoadedConfig,
    selection: Selection,
    *,
    environ: Mapping[str, str] = os.environ,
    memory: Memory | None = None,
) -> LoadedPlan:
    """The same of a file that is loaded already, with the durations that are known."""
    overrides = Overrides(
        workers=selection.workers,
        retries=selection.retries,
        timeout=selection.timeout,
        max_failures=selection.max_failures,
        order=selection.order,
        pack=selection.pack,
        warm=selection.warm,
        services=not selection.no_services,
    )
    plan = build_plan(
        config, overrides=overrides, mistakes=[*_unknown_kinds(config), *_unknown_reporters(config)]
    )
    plan = replace(plan, checked=check_targets(config, environ, services=not selection.no_services))
    if selection.no_services:
        plan = with_ports_of_others(plan, config, environ)
    if memory:
        known = memory.recalled.durations
        plan = forecast(plan, known, mask=redactor_for(plan, environ).text)
    try:
        chosen = select(plan, phases=selection.phase, tests=selection.test, tags=selection.tag)
    except UsageError as error:
        raise _with_swallowed_command(error, selection) from None
    around = surroundings_of(chosen, environ)
    chosen = replace(chosen, checked=(*chosen.checked, *checked_bases(around)))
    if selection.shard is None:
        return LoadedPlan(plan=chosen, full=plan, config=config)
    index, count = selection.shard
    part, shard = split(chosen, index=index, count=count)
    return LoadedPlan(plan=part, full=plan, config=config, shard=shard)


def surroundings_of(plan: Plan, environ: Mapping[str, str]) -> Surrounds:
    """For looking at what slots will own, where there is no run that owns it."""
    owner = Owner(run_id="plan", folder=Path(plan.root))
    return Surrounds(plan=plan, environ=environ, owner=owner, rules=plan.safeguards)


def recall_durations(selection: Selection, config: LoadedConfig, *, output: Path) -> Memory:
    """What is known of the tests of this file.

    Shards have to split alike, wherever they run: for them the file alone counts, and no journal.
    """
    path = selection.durations
    if path is None and config.model.durations is not None:
        path = config.root / config.model.durations
    path = (path or output / FILE).absolute()
    return Memory(path=path, recalled=recall(path, output=None if selection.shard else output))


def _unknown_kinds(config: LoadedConfig) -> list[Mistake]:
    """A kind is known if a runner of that name is built in, or installed and can be loaded."""
    mistakes = []
    for name, runner in config.model.runners.items():
        try:
            plugins.know_runner(runner.kind)
        except UsageError as error:
            mistakes.append(config.mistake("runners", name, "kind", says=error.message, hint=error.hint))
    return mistakes


def _unknown_reporters(config: LoadedConfig) -> list[Mistake]:
    """Whether or not this run uses the file's list: one that names nobody helps no run."""
    mistakes = []
    for at, word in enumerate(config.model.report):
        try:
            plugins.know_reporter(word.partition("=")[0])
        except UsageError as error:
            mistakes.append(config.mistake("report", at, says=error.message, hint=error.hint))
    return mistakes


def settle_results(reporting: Reporting, config: LoadedConfig) -> Results:
    """A folder from the command line starts where one stands, a folder from the file where the file lies."""
    output = reporting.output
    if output is None and config.model.output is not None:
        output = config.root / config.model.output
    return Results(
        output=(output or DEFAULT_OUTPUT).absolute(),
        reporters=reporting.report or config.model.report,
        asked=bool(reporting.report),
        keep=Keep(**config.model.keep.model_dump()),
    )


def _with_swallowed_command(error: UsageError, selection: Selection) -> UsageError:
    """``--phase health plan`` makes a phase of the command: says where it belongs."""
    swallowed = [word for word in (*selection.phase, *selection.test, *selection.tag) if word in COMMANDS]
    if not swallowed:
        return error
    command = swallowed[0]
    hint = f"`{command}` is a command: write it first, as in `e2e-orchestrate {command} --phase NAME`"
    return UsageError(error.message, hint=hint)

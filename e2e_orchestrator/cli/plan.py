"""``e2e-orchestrate plan``: what would run, where, in which order, and what would not and why."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, assert_never

import click

from e2e_orchestrator.cli.load_plan import recall_durations, settle_plan, settle_results
from e2e_orchestrator.cli.options import (
    Reporting,
    Selection,
    color_option,
    option,
    output_option,
    selection_options,
)
from e2e_orchestrator.cli.variadic import VariadicCommand
from e2e_orchestrator.config.load import load_config
from e2e_orchestrator.config.values import format_duration
from e2e_orchestrator.model.plan import LeftOut, Plan, PlannedPhase, RetryPolicy, Test
from e2e_orchestrator.model.safeguards import Checked
from e2e_orchestrator.model.service import (
    CommandProbe,
    HttpProbe,
    LogProbe,
    PageProbe,
    PlannedService,
    Probe,
    RedisProbe,
    Scope,
    SqlProbe,
    TcpProbe,
)
from e2e_orchestrator.planning.guarding import refuse_production
from e2e_orchestrator.planning.makespan import Makespan, expected_makespan
from e2e_orchestrator.planning.needs import before_each, directly_before
from e2e_orchestrator.planning.ordering import start_order
from e2e_orchestrator.safety.redact import redactor_for

SCHEMA = 1
_NAMED = 3
HEADINGS = ("#", "test", "runner", "target", "timeout", "retries", "tags")


@click.command("plan", cls=VariadicCommand)
@selection_options
@output_option
@color_option
@option(
    "--json", "as_json", is_flag=True, help="For programs; `schema` in it counts the versions of its shape."
)
def plan(selection: Selection, *, output: Path | None, color: str, as_json: bool) -> None:
    """Show what would run, where and in which order, and why anything is left out. Runs nothing.

    How long it will take is known once a run has remembered its durations, below --output.
    """
    config = load_config(selection.config, environ=os.environ)
    folder = settle_results(Reporting(output=output), config).output
    memory = recall_durations(selection, config, output=folder)
    planned = settle_plan(config, selection, memory=memory).plan
    for warning in memory.recalled.warnings:
        click.echo(f"e2e-orchestrate: {warning}", err=True)
    if as_json:
        shown = redactor_for(planned, os.environ).data(to_json(planned))
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        show(planned, color=color)
    refuse_production(planned)


def show(planned: Plan, *, color: str) -> None:
    """A table on a terminal, plain text elsewhere; without the secrets that variables were replaced by."""
    planned = redactor_for(planned, os.environ).data(planned)
    if color == "always" or (sys.stdout.isatty() and color == "auto"):
        _print_table(planned, force=color == "always")
    else:
        click.echo(to_text(planned))


def to_json(planned: Plan) -> dict[str, Any]:
    """The plan for programs. Times in seconds, folders absolute; of environments only the names.

    ``{schema, project, config, root, timeout, workers, start_order, makespan: {expected, lower_bound, unknown}
    | null, phases: [{name, description, needs, runner, parallel,
    required, timeout, tests: [{order, id, name, runner, kind, target, cwd, args, env, timeout,
    retries: {max, delay, factor, max_delay, jitter}, tags, expected, condition}]}], services: [{name, command, compose, external, task, cwd, env,
    ports, needs, scope, ready: [{kind, timeout, interval, …}], restarts, stop: {signal, grace}}],
    checked: [{what, where, host, database, allowed, refused}], left_out: [{id, why}]}``

    ``needs`` are all phases that are finished before this one starts. Tests stand in the order of the file; ``order`` counts from 1 in which they start. A test's own ``timeout`` is null if only its phase and
    the run limit it. ``condition`` says why a test would be skipped; null if it would run.
    """
    before = before_each(planned.phases)
    order = {test.id: number for number, test in enumerate(_started(planned), start=1)}
    return {
        "schema": SCHEMA,
        "project": planned.project,
        "config": planned.config,
        "root": planned.root,
        "timeout": planned.timeout,
        "workers": planned.workers,
        "start_order": planned.order.value,
        "makespan": _makespan_json(expected_makespan(planned)),
        "phases": [
            {
                "name": phase.name,
                "description": phase.description,
                "needs": list(before[phase.name]),
                "runner": phase.runner,
                "parallel": phase.parallel,
                "required": phase.required,
                "timeout": phase.timeout,
                "tests": [_test_json(test, order=order[test.id]) for test in phase.tests],
            }
            for phase in planned.phases
        ],
        "services": [_service_json(service) for service in planned.services],
        "checked": [_checked_json(checked) for checked in planned.checked],
        "left_out": [{"id": left.id, "why": left.why} for left in _left_out(planned)],
    }


def _makespan_json(makespan: Makespan | None) -> dict[str, Any] | None:
    return (
        {
            "expected": round(makespan.expected, 3),
            "lower_bound": round(makespan.lower_bound, 3),
            "unknown": makespan.unknown,
        }
        if makespan
        else None
    )


def _test_json(test: Test, *, order: int) -> dict[str, Any]:
    return {
        "order": order,
        "id": test.id,
        "name": test.name,
        "runner": test.runner,
        "kind": test.kind,
        "target": test.target,
        "cwd": test.cwd,
        "args": list(test.args),
        "env": list(test.env),
        "timeout": test.timeout,
        "retries": {
            "max": test.retries.max,
            "delay": test.retries.delay,
            "factor": test.retries.factor,
            "max_delay": test.retries.max_delay,
            "jitter": test.retries.jitter,
        },
        "tags": list(test.tags),
        "expected": test.expected,
        "condition": test.condition,
    }


def _service_json(service: PlannedService) -> dict[str, Any]:
    return {
        "name": service.name,
        "command": list(service.command),
        "compose": asdict(service.compose) if service.compose else None,
        "external": service.external,
        "task": service.task,
        "cwd": service.cwd,
        "env": list(service.env),
        "ports": list(service.ports),
        "needs": list(service.needs),
        "scope": service.scope.value,
        "ready": [asdict(probe) for probe in service.ready],
        "restarts": service.restarts,
        "stop": {"signal": service.stop.signal.value, "grace": service.stop.grace},
    }


def _checked_json(checked: Checked) -> dict[str, Any]:
    return {
        "what": checked.what,
        "where": checked.where,
        "host": checked.target.host,
        "database": checked.target.database,
        "allowed": checked.allowed,
        "refused": checked.refused,
    }


def to_text(planned: Plan) -> str:
    """The plan as aligned lines, for pipes and logs."""
    widths = _widths(planned)
    lines = [_headline(planned), *_makespan_lines(planned)]
    lines += [f"service  {_describe_service(service)}" for service in planned.services]
    lines += [said for said, _ in _describe_checked(planned)]
    lines += ["", _aligned(_headings(planned), widths)]
    for phase in planned.phases:
        lines += ["", _describe_phase(phase, planned=planned)]
        lines += [_aligned(row, widths) for row in _rows(planned, phase)]
    if left_out := _left_out(planned):
        lines += ["", "left out"]
        lines += [f"  {left.id}: {left.why}" for left in left_out]
    return "\n".join(lines)


def _print_table(planned: Plan, *, force: bool) -> None:
    # rich costs 50 ms: only a terminal pays for it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(force_terminal=force or None, highlight=False)
    console.print(Text(_headline(planned), style="bold"))
    for said in _makespan_lines(planned):
        console.print(Text(said))
    for service in planned.services:
        console.print(Text(f"service  {_describe_service(service)}"))
    for said, refused in _describe_checked(planned):
        console.print(Text(said, style="bold red" if refused else "dim"))
    widths = _widths(planned)
    for phase in planned.phases:
        title = Text(_describe_phase(phase, planned=planned), style="bold cyan")
        table = Table(box=None, pad_edge=False, header_style="dim", title=title, title_justify="left")
        for heading, width in zip(_headings(planned), widths, strict=True):
            # All but the targets keep their width, so that the tables of the phases stand in line.
            fixed = None if heading == "target" else width
            table.add_column(
                heading, width=fixed, justify="right" if heading == "#" else "left", overflow="fold"
            )
        for row in _rows(planned, phase):
            table.add_row(*(Text(cell) for cell in row))
        console.print()
        console.print(table)
    left_out = _left_out(planned)
    if left_out:
        console.print(Text("\nleft out", style="bold yellow"))
    for left in left_out:
        console.print(Text(f"  {left.id}: {left.why}", style="yellow"))


def _left_out(planned: Plan) -> list[LeftOut]:
    """What was not selected, and what a condition keeps from running."""
    conditions = [LeftOut(id=test.id, why=test.condition) for test in planned.tests if test.condition]
    return [*planned.left_out, *conditions]


def _widths(planned: Plan) -> list[int]:
    headings = _headings(planned)
    rows = [headings, *(row for phase in planned.phases for row in _rows(planned, phase))]
    return [max(len(row[column]) for row in rows) for column in range(len(headings))]


def _headings(planned: Plan) -> tuple[str, ...]:
    """Without durations there is nothing to expect, and no column for it."""
    known = any(test.expected is not None for test in planned.tests)
    return (*HEADINGS[:-1], "expected", HEADINGS[-1]) if known else HEADINGS


def _started(planned: Plan) -> Iterator[Test]:
    """In the order in which they start."""
    for phase in planned.phases:
        yield from start_order(phase, plan=planned)


def _rows(planned: Plan, phase: PlannedPhase) -> list[tuple[str, ...]]:
    before = sum(len(earlier.tests) for earlier in planned.phases[: planned.phases.index(phase)])
    known = len(_headings(planned)) > len(HEADINGS)
    return [
        (
            str(number),
            test.name,
            test.runner,
            test.target,
            format_duration(test.timeout) if test.timeout is not None else "-",
            _describe_retries(test.retries),
            *([_describe_expected(test)] if known else []),
            " ".join(test.tags),
        )
        for number, test in enumerate(start_order(phase, plan=planned), start=before + 1)
        if not test.condition
    ]


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    number, *cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([number.strip().rjust(widths[0]), *cells]).rstrip()


def _headline(planned: Plan) -> str:
    return (
        f"{planned.project}: {_counted(len(planned.phases), 'phase')}, {_counted(len(planned.tests), 'test')}, "
        f"{_counted(planned.workers, 'worker')}, at most {format_duration(planned.timeout)}"
    )


def _makespan_lines(planned: Plan) -> list[str]:
    makespan = expected_makespan(planned)
    if makespan is None:
        return []
    guessed = f", {_counted(makespan.unknown, 'test')} guessed" if makespan.unknown else ""
    took, least = (format_duration(round(one, 1)) for one in (makespan.expected, makespan.lower_bound))
    return [f"expected to take {took}, no order takes less than {least}{guessed}"]


def _describe_expected(test: Test) -> str:
    return "?" if test.expected is None else format_duration(round(test.expected, 1))


def _describe_phase(phase: PlannedPhase, *, planned: Plan) -> str:
    how = "parallel" if phase.parallel else "one after the other"
    must = "required" if phase.required else "optional"
    about = f": {phase.description}" if phase.description else ""
    after = _describe_needs(phase, planned=planned)
    return f"{phase.name} ({how}, {must}, at most {format_duration(phase.timeout)}{after}){about}"


def _describe_needs(phase: PlannedPhase, *, planned: Plan) -> str:
    """Nothing in a plan whose phases run one after the other."""
    if phase.needs is None:
        return ""
    return f", after {' and '.join(directly_before(planned)[phase.name]) or 'nothing'}"


def _describe_service(service: PlannedService) -> str:
    said = [f"{service.name}: {_what(service)}"]
    if service.scope is not Scope.RUN:
        said.append(f"one for each {service.scope}")
    if service.ports:
        said.append(f"free ports {' '.join(service.ports)}")
    if service.ready:
        asked = " and ".join(
            f"{_asked(probe)} within {format_duration(probe.timeout)}" for probe in service.ready
        )
        said.append(f"ready at {asked}")
    if service.restarts:
        said.append(f"started again {service.restarts} times at most")
    return ", ".join(said)


def _what(service: PlannedService) -> str:
    if service.compose:
        return f"compose {service.compose.file} {' '.join(service.compose.services)}".rstrip()
    if service.external:
        return "waited for"
    return f"{'task ' if service.task else ''}{' '.join(service.command)}"


def _asked(probe: Probe) -> str:
    match probe:
        case HttpProbe(http=asked) | TcpProbe(tcp=asked) | RedisProbe(redis=asked) | PageProbe(page=asked):
            return asked
        case SqlProbe(sql=asked, query=query):
            return f"{asked} ({query})"
        case LogProbe(log=asked):
            return f"its log ({asked})"
        case CommandProbe(command=words):
            return " ".join(words)
        case unknown:
            assert_never(unknown)


def _describe_checked(planned: Plan) -> list[tuple[str, bool]]:
    """A line for each target, and whether it is refused."""
    by_end: dict[tuple[str, str, bool], list[str]] = {}
    for one in planned.checked:
        end = "looks fine"
        if one.refused:
            end = f"REFUSED: {one.refused}"
        elif one.allowed:
            end = f"allowed: {one.allowed}"
        by_end.setdefault((str(one.target), end, bool(one.refused)), []).append(one.what)
    return [
        (f"checked  {target}: {end} ({_some(names)})", refused)
        for (target, end, refused), names in by_end.items()
    ]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _describe_retries(retries: RetryPolicy) -> str:
    if not retries.max:
        return "0"
    wait = f" after {format_duration(retries.delay)}" if retries.delay else ""
    growing = f" x{retries.factor:g}" if retries.factor != 1 and retries.delay else ""
    return f"{retries.max}{wait}{growing}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

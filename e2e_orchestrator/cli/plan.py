"""``e2e-orchestrate plan``: what would run, where, in which order, and what would not and why."""

import json
import os
import sys
from pathlib import Path
from typing import assert_never

import click

from e2e_orchestrator.cli.describe_isolation import Worlds
from e2e_orchestrator.cli.load_plan import recall_durations, settle_plan, settle_results
from e2e_orchestrator.cli.options import (
    Reporting,
    Selection,
    color_option,
    option,
    output_option,
    selection_options,
)
from e2e_orchestrator.cli.plan_json import left_out_of, to_json
from e2e_orchestrator.cli.variadic import VariadicCommand
from e2e_orchestrator.config.load import load_config
from e2e_orchestrator.config.values import format_duration
from e2e_orchestrator.model.plan import Plan, PlannedPhase, RetryPolicy, Test
from e2e_orchestrator.model.safeguards import looked_at
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
from e2e_orchestrator.planning.makespan import expected_makespan
from e2e_orchestrator.planning.needs import directly_before
from e2e_orchestrator.planning.ordering import start_order
from e2e_orchestrator.reporters.console_screen import abilities
from e2e_orchestrator.safety.redact import redactor_for

HEADINGS = ("#", "test", "runner", "target", "timeout", "retries", "expected", "tags")


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
        _print_table(planned, colored=abilities(sys.stdout, color=color, environ=os.environ).color)
    else:
        click.echo(to_text(planned))


def to_text(planned: Plan) -> str:
    """The plan as aligned lines, for pipes and logs."""
    widths = _widths(planned)
    worlds = Worlds(planned)
    lines = [_headline(planned), *_surroundings(planned, worlds)]
    lines += [f"checked  {one}" for one in looked_at(planned.checked)]
    lines += ["", _aligned(_headings(planned), widths)]
    for phase in planned.phases:
        lines += ["", _describe_phase(phase, planned=planned), *worlds.phase_text(phase)]
        lines += [_aligned(row, widths) for row in _rows(planned, phase)]
    if left_out := left_out_of(planned):
        lines += ["", "left out"]
        lines += [f"  {left.id}: {left.why}" for left in left_out]
    return "\n".join(lines)


def _print_table(planned: Plan, *, colored: bool) -> None:
    # rich costs 50 ms: only a terminal pays for it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(
        force_terminal=colored or None, color_system="auto" if colored else None, highlight=False
    )
    console.print(Text(_headline(planned), style="bold"))
    worlds = Worlds(planned)
    for said in _surroundings(planned, worlds):
        console.print(Text(said))
    for one in looked_at(planned.checked):
        console.print(Text(f"checked  {one}", style="bold red" if one.refused else "dim"))
    widths = _widths(planned)
    for phase in planned.phases:
        title = Text(_describe_phase(phase, planned=planned), style="bold cyan")
        for said in worlds.phase_text(phase):
            title.append(f"\n{said}", style="not bold dim")
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
    left_out = left_out_of(planned)
    if left_out:
        console.print(Text("\nleft out", style="bold yellow"))
    for left in left_out:
        console.print(Text(f"  {left.id}: {left.why}", style="yellow"))


def _widths(planned: Plan) -> list[int]:
    headings = _headings(planned)
    rows = [headings, *(row for phase in planned.phases for row in _rows(planned, phase))]
    return [max(len(row[column]) for row in rows) for column in range(len(headings))]


def _headings(planned: Plan) -> tuple[str, ...]:
    """No column in which no test says anything: a terminal has few to spare."""
    said = {
        "timeout": any(test.timeout is not None for test in planned.tests),
        "expected": any(test.expected is not None for test in planned.tests),
        "tags": any(test.tags for test in planned.tests),
    }
    return tuple(heading for heading in HEADINGS if said.get(heading, True))


def _rows(planned: Plan, phase: PlannedPhase) -> list[tuple[str, ...]]:
    before = sum(len(earlier.tests) for earlier in planned.phases[: planned.phases.index(phase)])
    headings = _headings(planned)
    return [
        tuple(cells[heading] for heading in headings)
        for number, test in enumerate(start_order(phase, plan=planned), start=before + 1)
        if not test.condition
        for cells in [_cells(test, number=number)]
    ]


def _cells(test: Test, *, number: int) -> dict[str, str]:
    return {
        "#": str(number),
        "test": test.name,
        "runner": test.runner,
        "target": test.target,
        "timeout": format_duration(test.timeout) if test.timeout is not None else "-",
        "retries": _describe_retries(test.retries),
        "expected": _describe_expected(test),
        "tags": " ".join(test.tags),
    }


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    number, *cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([number.strip().rjust(widths[0]), *cells]).rstrip()


def _headline(planned: Plan) -> str:
    return (
        f"{planned.project}: {_counted(len(planned.phases), 'phase')}, {_counted(len(planned.tests), 'test')}, "
        f"{_counted(planned.workers, 'worker')}, at most {format_duration(planned.timeout)}"
    )


def _surroundings(planned: Plan, worlds: Worlds) -> list[str]:
    services = [f"service  {_describe_service(service)}" for service in planned.services]
    return [*_makespan_lines(planned), *services, *worlds.bases_text()]


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
        where = f" in {' and '.join(service.phases)}" if service.phases else ""
        said.append(f"one for each {service.scope}{where}")
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


def _describe_retries(retries: RetryPolicy) -> str:
    if not retries.max:
        return "0"
    wait = f" after {format_duration(retries.delay)}" if retries.delay else ""
    growing = f" x{retries.factor:g}" if retries.factor != 1 and retries.delay else ""
    return f"{retries.max}{wait}{growing}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"

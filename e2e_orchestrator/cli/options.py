"""The options that commands share, each with its environment variable ``E2E_ORCHESTRATE_<OPTION>``.

A command takes them as one frozen value::

    @click.command("plan", cls=VariadicCommand)
    @selection_options
    def plan(selection: Selection) -> None: ...
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from e2e_orchestrator.cli.asked import DEFAULT_CONFIG, Reporting, Selection
from e2e_orchestrator.cli.variadic import VariadicOption, Words
from e2e_orchestrator.config.values import (
    Refused,
    parse_duration,
    parse_max_failures,
    parse_positive_duration,
    parse_shard,
    parse_workers,
)
from e2e_orchestrator.model.plan import MaxFailures, Order, Packing, Warm

__all__ = [
    "Reporting",
    "Selection",
    "color_option",
    "config_option",
    "durations_option",
    "option",
    "output_option",
    "run_options",
    "selection_options",
]

ENVIRONMENT_PREFIX = "E2E_ORCHESTRATE_"
Returned = TypeVar("Returned")
Command = Callable[..., Returned]


class Duration(click.ParamType):  # type: ignore[type-arg]  # Older clicks have no generic one.
    """Seconds, or ``90s``, ``5m``, ``1h30m``; ``positive`` for limits."""

    name = "duration"

    def __init__(self, *, positive: bool = False) -> None:
        self._parse = parse_positive_duration if positive else parse_duration

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return self._parse(value)
        except Refused as error:
            self.fail(_said(error, value), param, ctx)


class Workers(click.ParamType):  # type: ignore[type-arg]  # Older clicks have no generic one.
    """``auto`` or a whole number from 1."""

    name = "workers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["auto"]:
        try:
            return parse_workers(value) or "auto"
        except Refused as error:
            self.fail(_said(error, value), param, ctx)


class Failures(click.ParamType):  # type: ignore[type-arg]  # Older clicks have no generic one.
    """``N``, ``N:wait`` or ``N:immediate``."""

    name = "failures"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> MaxFailures:
        try:
            return value if isinstance(value, MaxFailures) else parse_max_failures(value)
        except Refused as error:
            self.fail(_said(error, value), param, ctx)


class ShardNumber(click.ParamType):  # type: ignore[type-arg]  # Older clicks have no generic one.
    """``i/n``, from ``1/n``."""

    name = "shard"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        try:
            return value if isinstance(value, tuple) else parse_shard(value)
        except Refused as error:
            self.fail(_said(error, value), param, ctx)


class StartOrder(click.Choice):  # type: ignore[type-arg]  # The same.
    """A word of the enumeration, as its member."""

    def __init__(self) -> None:
        super().__init__([str(order) for order in Order])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Order:
        return Order(super().convert(value, param, ctx))


class PackingWord(click.Choice):  # type: ignore[type-arg]  # The same.
    """The same for this enumeration."""

    def __init__(self) -> None:
        super().__init__([str(packing) for packing in Packing])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Packing:
        return Packing(super().convert(value, param, ctx))


class WarmMode(click.Choice):  # type: ignore[type-arg]  # The same.
    """A word of the enumeration, as its member."""

    def __init__(self) -> None:
        super().__init__([str(mode) for mode in Warm])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Warm:
        return Warm(super().convert(value, param, ctx))


class Folder(click.Path):
    """Not the empty word that a variable without a value leaves: it would be the folder where one stands."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, file_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("no folder is named (hint: is a variable not set? write . for this folder)", param, ctx)
        return super().convert(value, param, ctx)


def _said(error: Refused, value: object) -> str:
    hint = f" (hint: {error.hint})" if error.hint else ""
    return error.message.replace("{value}", f"`{value}`") + hint


def option(*names: str, **attributes: Any) -> Callable[[Command[Returned]], Command[Returned]]:
    """A click option that its environment variable can set too."""
    long = next(name for name in names if name.startswith("--"))
    variable = ENVIRONMENT_PREFIX + long.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, **attributes)


def config_option(command: Command[Returned]) -> Command[Returned]:
    return option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        default=Path(DEFAULT_CONFIG),
        show_default=True,
        metavar="PATH",
        help="The file that says what to run.",
    )(command)


def output_option(command: Command[Returned]) -> Command[Returned]:
    return option(
        "--output",
        type=Folder(),
        metavar="FOLDER",
        help="Where results go; default ./test-results.",
    )(command)


def durations_option(command: Command[Returned]) -> Command[Returned]:
    return option(
        "--durations",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Where durations are remembered; default durations.json in the output folder.",
    )(command)


def color_option(command: Command[Returned]) -> Command[Returned]:
    return option(
        "--color",
        type=click.Choice(("auto", "always", "never")),
        default="auto",
        help="Colours; auto: on a terminal.",
    )(command)


_SELECTION = (
    option(
        "--phase",
        cls=VariadicOption,
        type=Words("phase"),
        metavar="NAME...",
        help="Only these phases; several may follow one flag; `all` is every phase.",
    ),
    option(
        "--test",
        cls=VariadicOption,
        type=Words("test"),
        metavar="GLOB...",
        help="Only tests whose name, or phase/name, matches one of these.",
    ),
    option(
        "--tag",
        cls=VariadicOption,
        type=Words("tag"),
        metavar="TAG...",
        help="Only tests with one of these tags.",
    ),
    config_option,
    option(
        "--workers", type=Workers(), metavar="N|auto", help="Tests at once; auto: one for each processor."
    ),
    option(
        "--retries",
        type=click.IntRange(0, 1000),
        metavar="N",
        help="Retries of every failed test, whatever the file says.",
    ),
    option(
        "--timeout",
        type=Duration(positive=True),
        metavar="DURATION",
        help="Limit of the whole run, such as 10m.",
    ),
    option(
        "--max-failures",
        type=Failures(),
        metavar="N[:immediate]",
        help="Start nothing more after N failed tests; `N:immediate` also ends those that run.",
    ),
    option("--no-services", is_flag=True, help="Start none of the file's services: they run already."),
    option(
        "--order",
        type=StartOrder(),
        metavar="longest|file",
        help="Which tests of a parallel phase start first; default longest, once durations are known.",
    ),
    option(
        "--pack",
        type=PackingWord(),
        metavar="auto|off",
        help="Playwright: may one call carry several tests? Default: what the runners say.",
    ),
    durations_option,
    option(
        "--warm",
        type=WarmMode(),
        metavar="auto|on|off",
        help="Fork pytest from a process that has imported it; default: the runner's, else auto.",
    ),
    option(
        "--shard",
        type=ShardNumber(),
        metavar="I/N",
        help="Run one of N parts of the plan, such as 1/3; `merge` puts their runs together.",
    ),
)

_REPORTING = (
    option(
        "--report",
        cls=VariadicOption,
        type=Words("reporter"),
        metavar="NAME[=PATH]...",
        help="Reporters; default console, json.",
    ),
    output_option,
    option(
        "--baseline",
        metavar="RUN|FILE",
        help="Say what is new against that run: `latest`, an id, a folder, a journal, an e2e-results.json.",
    ),
    color_option,
    option("-v", "--verbose", count=True, help="Say more."),
    option("-q", "--quiet", is_flag=True, help="Say only what failed, and the verdict."),
)


def selection_options(command: Command[Returned]) -> Command[Returned]:
    """Adds what shapes the plan; the command gets it as ``selection``."""
    return _gathered(command, into="selection", make=Selection, options=_SELECTION)


def run_options(command: Command[Returned]) -> Command[Returned]:
    """Adds what shapes the telling of a run; the command gets it as ``reporting``."""
    return _gathered(command, into="reporting", make=Reporting, options=_REPORTING)


def _gathered(
    command: Command[Returned],
    *,
    into: str,
    make: type[Selection | Reporting],
    options: Sequence[Callable[[Any], Any]],
) -> Command[Returned]:
    names = [field.name for field in fields(make)]

    @functools.wraps(command)
    def with_values(**given: Any) -> Returned:
        given[into] = make(**{name: given.pop(name) for name in names})
        return command(**given)

    for add in reversed(options):
        with_values = add(with_values)
    return with_values

"""The program ``e2e-orchestrate``: finds the command that is meant and runs it behind the error boundary.

Imports a command only when it is called: ``--version`` and ``--help`` answer at once.
"""

import atexit
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

import click

from e2e_orchestrator import __version__
from e2e_orchestrator.cli import help_page
from e2e_orchestrator.cli.boundary import guarded, open_standard_streams
from e2e_orchestrator.cli.commands import COMMANDS, DEFAULT_COMMAND
from e2e_orchestrator.errors import UsageError

PROGRAM = "e2e-orchestrate"
COMPLETE_VARIABLE = "_E2E_ORCHESTRATE_COMPLETE"


class Program(click.Group):
    """A group that imports its commands on demand and takes options without a command for those of ``run``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature.
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature.
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.at.partition(":")
        command = getattr(_imported(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a test calls every entry of the table.
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for param in self.get_params(ctx) for name in param.opts}
        word = args[0] if args else None
        if word is None:
            args = [] if ctx.resilient_parsing else [DEFAULT_COMMAND]
        elif word.startswith("-") and word not in own:
            args = [DEFAULT_COMMAND, *args]
        elif word not in COMMANDS and word not in own and not ctx.resilient_parsing:
            raise _unknown_command(word)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature.
        formatter.write(help_page.text())

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        if incomplete.startswith("-"):
            run = self.get_command(ctx, DEFAULT_COMMAND)
            assert run is not None  # noqa: S101 - it stands in the table.
            with click.Context(run, info_name=DEFAULT_COMMAND, parent=ctx) as below:
                return [*super().shell_complete(ctx, incomplete), *run.shell_complete(below, incomplete)]
        return [
            click.shell_completion.CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete)
        ]


def _imported(name: str) -> ModuleType:
    """Modules are no garbage: to look for it among them, again and again, is a tenth of the start."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def _unknown_command(word: str) -> UsageError:
    from e2e_orchestrator.config.mistakes import suggestion  # noqa: PLC0415 - difflib, 3 ms.

    meant = suggestion(word, COMMANDS, otherwise="the commands are")
    return UsageError(
        f"there is no command `{word}`", hint=f"{meant} (a phase is run by `{PROGRAM} --phase {word}`)"
    )


program = Program(
    PROGRAM,
    context_settings={"help_option_names": ["-h", "--help"]},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=lambda ctx, _, wanted: (
                _print_version(ctx) if wanted and not ctx.resilient_parsing else None
            ),
        )
    ],
)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Runs the program and leaves with its exit code."""
    # At the very end the interpreter looks for garbage in all that is loaded: 40 ms for nobody.
    atexit.register(gc.freeze)
    open_standard_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    sys.exit(guarded(lambda: _dispatch(arguments), argv=arguments))


def _dispatch(arguments: list[str]) -> int | None:
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction:
        return _complete(instruction)
    with program.make_context(PROGRAM, arguments) as ctx:
        code = program.invoke(ctx)
    return code if isinstance(code, int) else None


def _complete(instruction: str) -> int:
    from click.shell_completion import shell_complete  # noqa: PLC0415 - 5 ms that only completion needs.

    try:
        return shell_complete(program, {}, PROGRAM, COMPLETE_VARIABLE, instruction)
    except Exception:  # noqa: BLE001 - a trace in the middle of somebody's command line helps nobody.
        return 1


def _print_version(ctx: click.Context) -> NoReturn:
    click.echo(f"{PROGRAM} {__version__}")
    ctx.exit()

"""``e2e-orchestrate completion``: the script that makes a shell complete commands, phases and tests."""

import click
from click.shell_completion import get_completion_class

from e2e_orchestrator.cli.main import COMPLETE_VARIABLE, PROGRAM, program

_HOW = f"""\
To complete {PROGRAM} in your shell, add one line to its start-up file:

  bash   ~/.bashrc                    eval "$({PROGRAM} completion bash)"
  zsh    ~/.zshrc                     eval "$({PROGRAM} completion zsh)"
  fish   ~/.config/fish/config.fish   {PROGRAM} completion fish | source
"""


@click.command("completion", short_help="Print what makes your shell complete this program.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")), required=False)
def completion(shell: str | None) -> None:
    """Print the script for SHELL; without SHELL, how to use it."""
    if shell is None:
        click.echo(_HOW, nl=False)
        return
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows the three shells of the choice.
    script = kind(program, {}, PROGRAM, COMPLETE_VARIABLE)
    # Click's source() starts a bash to ask for its version; the script itself needs no such thing.
    click.echo(script.source_template % script.source_vars())

"""Which command lines fall into words, and which would need a shell that is not there."""

import shlex

import pytest

from e2e_orchestrator.config.command_lines import split_command_line
from e2e_orchestrator.config.values import Refused

FOR_A_SHELL = {
    "one && two": "&&",
    "one || two": "||",
    "one; two": ";",
    "one ; two": ";",
    "one | two": "|",
    "one |& two": "|&",
    "one &": "&",
    "one > file": ">",
    "one >file": ">",
    "one >> ~/file": ">>",
    "one 2>&1": "2>",
    "one &>/dev/null": "&>",
    "one < file": "<",
    "one <<END": "<<",
    "one $(two)": "$(",
    "one --x=$(two)": "$(",
}


@pytest.mark.parametrize(("line", "found"), FOR_A_SHELL.items(), ids=FOR_A_SHELL)
def test_a_shell_would_be_needed_for(line: str, found: str) -> None:
    with pytest.raises(Refused) as refused:
        split_command_line(line)
    assert refused.value.message.startswith(f"`{found}` means something to a shell")
    assert refused.value.hint == f"wrap the line in: sh -c '…'; or quote `{found}` if it is one"


PLAIN = (
    "one two",
    "one '&&' \"|\" \\;",
    "sh -c 'one && two | three > file; four $(five)'",
    'sh -c "one \\" && two"',
    "one --x='a && b; c'",
    """one it"'"s' && 'fine""",
    "find . -exec rm {} \\;",
    "one http://host/?a=1&b=2 >=1.0 -> x>y",
    "one ${PORT} a;b 100%",
    "",
)


@pytest.mark.parametrize("line", PLAIN)
def test_no_shell_is_needed_for(line: str) -> None:
    assert split_command_line(line) == shlex.split(line)


def test_what_stands_behind_an_operator_is_not_shown() -> None:
    with pytest.raises(Refused) as refused:
        split_command_line("one >hunter2")
    assert "hunter2" not in f"{refused.value.message} {refused.value.hint}"

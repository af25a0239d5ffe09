"""Command lines in the file: split into words as a shell does, and refused where they count on a shell."""

import re
import shlex
from collections.abc import Iterator

from e2e_orchestrator.config.values import Refused

_WRAP = "wrap the line in: sh -c '…'"
_QUOTED = r"""\\.|'[^']*'|"(?:\\.|[^"\\])*\""""
_WORD = re.compile(rf"""(?:{_QUOTED}|[^\s'"\\])+""", re.DOTALL)
# With quotes around it each of them is an ordinary word. What follows `>` is not shown: it may be a secret.
_OPERATOR = re.compile(r"(\|\|?|\|&|&&?|;;?)|([\d&]?(?:>>?|<{1,3}))(?:&?[\w./~$].*)?", re.DOTALL)
_INSIDE = re.compile(r"\$\(|;\Z")


def split_command_line(text: str) -> list[str]:
    """The program and its arguments.

    Raises Refused for quotes that stay open, and for ``&&``, ``|``, ``>`` and their like: without a shell they
    would be arguments of the program, which most often does not mind, and what follows would never run.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        message = f"cannot be split into words: {error}"
        raise Refused(message, hint=f"close the quotes, or {_WRAP}") from None
    for found in _meant_for_a_shell(text):
        message = f"`{found}` means something to a shell, and none reads this: it would be an argument"
        raise Refused(message, hint=f"{_WRAP}; or quote `{found}` if it is one")
    return words


def _meant_for_a_shell(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        bare = re.sub(_QUOTED, " ", word, flags=re.DOTALL)
        if found := _OPERATOR.fullmatch(word) or _INSIDE.search(bare):
            yield next((group for group in found.groups() if group), found[0])

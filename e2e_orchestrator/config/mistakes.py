"""One mistake in phases.yaml: where it is, what is wrong there, and what to write instead."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from e2e_orchestrator.errors import ConfigError

MAX_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """``line`` and ``column`` count from 1; ``path`` is the dotted way to the key, empty for the whole file."""

    line: int
    column: int
    path: str
    says: str
    hint: str | None = None

    def text(self, file: str) -> str:
        """One line that editors and people can follow: ``phases.yaml:3:5: phases.health: is missing``."""
        where = f"{file}:{self.line}:{self.column}: "
        path = f"{self.path}: " if self.path else ""
        hint = f" (hint: {self.hint})" if self.hint else ""
        return printable(f"{where}{path}{self.says}{hint}")


def config_error(mistakes: Iterable[Mistake], *, file: str) -> ConfigError:
    """All of them as one error, in the order of the file.

    What aliases repeat is said once; beyond what anybody reads, only the number is said.
    """
    once: dict[tuple[int, int, str, str], Mistake] = {}
    for mistake in mistakes:
        key = mistake.path.rpartition(".")[2]
        once.setdefault((mistake.line, mistake.column, key, mistake.says), mistake)
    lines = [once[place].text(file) for place in sorted(once)]
    if len(lines) > MAX_LISTED:
        lines[MAX_LISTED:] = [f"{file}: and {len(lines) - MAX_LISTED} more"]
    return ConfigError(lines)


def printable(text: str) -> str:
    """The text with every character that could steer a terminal shown as a replacement mark."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that is meant most likely, if any is near."""
    near = difflib.get_close_matches(word.lower(), {name.lower(): name for name in known}, n=1, cutoff=0.6)
    return next((name for name in known if name.lower() == near[0]), None) if near else None


def suggestion(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """A hint for an unknown word: the near one, else all of them after ``otherwise``."""
    names = list(known)
    meant = did_you_mean(word, names)
    if meant is not None:
        return f"did you mean `{meant}`?"
    return f"{otherwise}: {', '.join(names)}" if names else f"{otherwise}: none"

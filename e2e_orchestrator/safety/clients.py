"""What the words of a command say about the words after them, as in ``psql -h db shop`` and ``serve --db-host db``. Pure."""

import re
import shlex
from collections.abc import Iterable, Iterator

_CLIENTS = re.compile(
    r"(?:psql|pgcli|pgbench|createdb|dropdb|vacuumdb|pg_(?:dump|dumpall|restore|isready)"
    r"|(?:mysql|mariadb)(?:-?(?:dump|admin|check|import|show))?|mycli|mongo(?:sh|dump|restore)?|(?:redis|valkey)-cli)"
)
# To these the first word that is no option is a database.
_TAKES_DATABASE = re.compile(r"psql|pgcli|createdb|dropdb|pg_dump|(?:mysql|mariadb)(?:-?dump)?|mycli")
_OPTIONS = {"-h": "host", "-d": "database", "-U": "PGUSER", "-u": "PGUSER"}


def named(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each word with the name of what it holds, or without one where nobody says so."""
    name, in_client = "", False
    for word in words:
        program = word.rpartition("/")[2]
        glued = _OPTIONS.get(word[:2]) if in_client and len(word) > len("-h") else None
        if glued:
            yield glued, word[2:]
        else:
            yield "" if word.startswith("-") else name, word
        if _CLIENTS.fullmatch(program):
            name, in_client = "database" if _TAKES_DATABASE.fullmatch(program) else "", True
        elif in_client and word in _OPTIONS:
            name = _OPTIONS[word]
        else:
            name = word[2:].replace("-", "_") if word.startswith("--") and "=" not in word else ""


def named_in(text: str) -> Iterator[tuple[str, str]]:
    """Of a text that may be a command line, or has one in quotes: only the words that have a name."""
    if not any(_CLIENTS.fullmatch(word) for word in re.findall(r"[\w-]+", text)):
        return
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    for name, word in named(words):
        if name:
            yield name, word
        elif word != text:
            yield from named_in(word)

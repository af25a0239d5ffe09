"""Makes what a child wrote fit to be kept: bounded, without terminal codes, and saying what was cut."""

import hashlib
import re
from collections.abc import Iterable, Iterator

MESSAGE_LIMIT = 16 * 1024
ID_LIMIT = 4 * 1024
# What stands in the middle must fit too: what a child has cut is not cut again.
_ROOM = 128
_LONGEST_WORD = 1024

_TERMINAL_CODES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # Colours and cursor movements.
    r"|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"  # Window titles and links.
    r"|\x1b[@-Z\\-_]"
)


def cut(text: str, *, limit: int = MESSAGE_LIMIT) -> str:
    """The head and the tail of a text that is longer than ``limit`` letters, with what is missing."""
    if len(text) <= limit:
        return text
    head, tail = _ends(text, max(limit - _ROOM, 0) // 2)
    return f"{head}\n[... {len(text) - len(head) - len(tail)} letters cut ...]\n{tail}"


def _ends(text: str, half: int) -> tuple[str, str]:
    """At most so many letters of the head and of the tail, in whole words.

    A word that is cut may be a secret, of which nobody would recognise the half that is left.
    """
    return without_last_word(text[:half]), _without_first_word(text[len(text) - half :])


def without_last_word(text: str) -> str:
    """Without the letters at the end that may belong to a word that goes on."""
    word = text[-_LONGEST_WORD:].rsplit(maxsplit=1)[-1:]
    return text if not word or text[-1].isspace() else text[: -len(word[0])]


def _without_first_word(text: str) -> str:
    word = text[:_LONGEST_WORD].split(maxsplit=1)[:1]
    return text if not word or text[0].isspace() else text[len(word[0]) :]


def plain(text: str) -> str:
    """Without colours, cursor movements, links and titles."""
    return _TERMINAL_CODES.sub("", text) if "\x1b" in text else text


def message(text: str, *, limit: int = MESSAGE_LIMIT) -> str:
    """A message as it is kept: a bounded part of it is cleaned, not 20 MB."""
    return plain(cut(text.strip("\n"), limit=limit))


def short_id(identity: str) -> str:
    """An id of bounded length that is still unique: a digest stands for what was cut."""
    if len(identity) <= ID_LIMIT:
        return identity
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    head, tail = _ends(identity, (ID_LIMIT - _ROOM) // 2)
    return f"{head}[... {len(identity) - len(head) - len(tail)} letters cut, sha256 {digest} ...]{tail}"


def last_lines(text: str, *, count: int = 12, limit: int = 2048) -> str:
    """The last lines that hold something: what a person would look at first."""
    lines = [line.rstrip() for line in plain(text[-8 * limit :]).splitlines() if line.strip()]
    return "\n".join(lines[-count:])[-limit:]


def unique(ids: Iterable[str]) -> Iterator[str]:
    """Each id once as it is; what comes again gets a number: ``a``, ``a (2)``."""
    seen: dict[str, int] = {}
    given: set[str] = set()
    for identity in ids:
        seen[identity] = number = seen.get(identity, 0) + 1
        name = identity if number == 1 else f"{identity} ({number})"
        while name in given:
            seen[identity] = number = number + 1
            name = f"{identity} ({number})"
        given.add(name)
        yield name

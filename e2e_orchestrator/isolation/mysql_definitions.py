"""What a definition of MySQL or MariaDB names: its copy must name the database of the copy, or not be made. Pure.

Servers write the database's own name into what they show (``DEFAULT nextval(`shop`.`ids`)``, every function
in a view), and leave routines and triggers as they were written. Copied as it is, such a definition would
use the original from within the copy.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from e2e_orchestrator.isolation.driver import CannotIsolate

_LETTER = r"[0-9A-Za-z_$\u0080-\U0010ffff]"
_STRING = {True: r"'(?:[^'\\]|''|\\.)*'", False: r"'(?:[^']|'')*'"}
_NAMED_BEFORE = frozenset({"use", "database", "schema", "exists"})
_END = (";", "")


class Kind(StrEnum):
    """How much of it the server has written itself, and whether a text in it can ever be run."""

    DATA = "data"
    """Tables and sequences: what is quoted in them is data, and names stand where the server puts them."""
    VIEW = "view"
    PROGRAM = "program"
    """Routines and triggers: as somebody has written them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A statement in the SQL mode in which it was written; the name of its database belongs between its ``parts``."""

    mode: str
    parts: tuple[str, ...]

    def within(self, database: str) -> str:
        """The statement as it makes the same thing in another database, whose name is quoted."""
        return database.join(self.parts)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


def define(what: str, statement: str, *, names: Sequence[str], kind: Kind, mode: str = "") -> Definition:
    """Finds where one of the databases ``names`` is meant; ``what`` is the thing, for messages.

    Raises CannotIsolate unless it is certain that nothing else in the statement means one of them.
    """
    tokens = list(_tokens(statement, mode=mode))
    if tokens and tokens[-1].kind == "broken":
        raise _refused(what, "cannot be understood to its end")
    meant = [*_mentions(tokens, names), None]
    qualifiers = [at for at in meant if at is not None and _after(tokens, at) == "."]
    is_clear = len(qualifiers) == len(meant) - 1 or (kind is not Kind.PROGRAM and not qualifiers)
    if not is_clear:
        raise _refused(what, "uses the name of its database for something else as well, such as an alias")
    if kind is not Kind.DATA:
        _refuse_texts(what, tokens, names)
    if kind is Kind.PROGRAM:
        _refuse_dynamic(what, tokens, names)
    ends = [0, *(tokens[at].end for at in qualifiers)]
    starts = [*(tokens[at].start for at in qualifiers), len(statement)]
    return Definition(
        mode=mode,
        parts=tuple(statement[start:end] for start, end in zip(ends, starts, strict=True)),
    )


def names_database(statements: str, name: str) -> bool:
    """Whether a file of statements means this database, wherever it is loaded."""
    if name.replace("`", "``").casefold() not in statements.casefold():
        return False
    tokens = list(_tokens(statements, mode=""))
    return any(
        _after(tokens, at) == "." or (at and tokens[at - 1].word in _NAMED_BEFORE)
        for at in _mentions(tokens, [name])
    ) or any(token.kind == "broken" for token in tokens)


def _tokens(statement: str, *, mode: str) -> Iterator[_Token]:
    """Without blanks and comments; what a comment such as ``/*!50100 … */`` holds is run, and so given."""
    pattern, at, is_open = _pattern(mode), 0, False
    while at < len(statement):
        found = pattern.match(statement, at)
        kind = (found.lastgroup if found else None) or "broken"
        text = found[0] if found else statement[at]
        if kind == "close" and not is_open:
            kind, text = "other", text[0]
        is_open = kind == "open" or (is_open and kind != "close")
        if kind not in ("open", "close", "blank"):
            yield _Token(kind, text, at, at + len(text))
        if kind == "broken":
            return
        at += len(text)


def _pattern(mode: str) -> "re.Pattern[str]":
    modes = mode.upper().split(",")
    string = _STRING["NO_BACKSLASH_ESCAPES" not in modes]
    double = string.replace("'", '"')
    strings, names = (string, double) if "ANSI_QUOTES" in modes else (f"{string}|{double}", "(?!)")
    return re.compile(
        r"(?P<open>/\*M?!\d*)|(?P<close>\*/)"
        r"|(?P<blank>\s+|/\*.*?\*/|--(?=[\x00-\x20]|\Z)[^\n]*|\#[^\n]*)"
        rf"|(?P<string>{strings})|(?P<name>`(?:[^`]|``)+`|{names})"
        rf"|(?P<variable>@+(?:{_LETTER}|\.)*)|(?P<word>{_LETTER}+)"
        r"|(?P<other>(?!/\*)[^'\"`])",
        re.DOTALL,
    )


def _mentions(tokens: Sequence[_Token], names: Sequence[str]) -> list[int]:
    """Where one of these names stands, but not as part of a longer one: ``t.shop`` is a column or a table."""
    wanted = {name.casefold() for name in names}
    return [
        at
        for at, token in enumerate(tokens)
        if token.kind in ("name", "word")
        and _plain(token).casefold() in wanted
        and not (at and tokens[at - 1].text == ".")
    ]


def _plain(token: _Token) -> str:
    quote = token.text[0]
    return token.text[1:-1].replace(quote * 2, quote) if token.kind == "name" else token.text


def _after(tokens: Sequence[_Token], at: int) -> str:
    return tokens[at + 1].text if at + 1 < len(tokens) else ""


def _content(token: _Token) -> str:
    return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)


def _refuse_texts(what: str, tokens: Sequence[_Token], names: Sequence[str]) -> None:
    for name in names:
        only = re.escape(name)
        named = re.compile(
            rf"\s*{only}\s*|.*(?<!{_LETTER}){only}[`\"]?\s*\.\s*[`\"]?{_LETTER}.*", re.IGNORECASE | re.DOTALL
        )
        if any(token.kind == "string" and named.fullmatch(_content(token)) for token in tokens):
            raise _refused(what, f"has the name {name!r} in a text")


def _refuse_dynamic(what: str, tokens: Sequence[_Token], names: Sequence[str]) -> None:
    """Texts that are run as statements: one that is put together may name anything once it runs."""
    for at in range(len(tokens)):
        text = _run_from(tokens, at)
        if text is None:
            continue
        is_whole = text < len(tokens) and tokens[text].kind == "string"
        if not is_whole or _after(tokens, text) not in _END:
            raise _refused(what, "runs statements that it puts together as texts")
        content = _content(tokens[text]).casefold()
        if any(name.casefold() in content for name in names):
            raise _refused(what, "names its database in a statement that it prepares")


def _run_from(tokens: Sequence[_Token], at: int) -> int | None:
    """Where the text stands that the statement which begins here runs; None if it runs none."""
    words = [token.word for token in tokens[at : at + 3]]
    if words[:2] == ["execute", "immediate"]:
        return at + 2
    if words[0] == "prepare" and words[2:] == ["from"]:
        return at + 3
    return None


def _refused(what: str, why: str) -> CannotIsolate:
    return CannotIsolate(
        f"{what} {why}, so a clone of it might use the original",
        hint="write it without the name of a database: it then means the one that it is in",
    )

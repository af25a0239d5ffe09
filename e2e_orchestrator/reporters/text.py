"""Text of children made safe and short for people: no escapes, no forged commands, the lines that matter."""

import re

_LONGEST = 200_000
_LINE_LIMIT = 400

# Operating system commands and their kin end at BEL or ST. One that never ends stops at the line's
# end, so that it cannot swallow the rest of a message.
_ESCAPES = re.compile(
    r"(?:\x1b[PX^_\]]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
_NEWLINES = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Besides control characters: marks that reverse the reading order or cannot be seen.
_CONTROLS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
# Azure and GitHub look for ``##vso[`` and ``##[`` anywhere in a line, TeamCity for ``##teamcity[``.
_COMMANDS = re.compile(r"##(?=\w*\[)")
_FORGED = re.compile(r"\s*(?:::|##)")

_ASSERTION = re.compile(r"E(?:\s|$)")
_ASSERTION_MARK = re.compile(r"^E\s+")
_LOCATION = re.compile(r"\S+:\d+: ?\S*")
_TRACEBACK = "Traceback (most recent call last)"
_ROOM_FOR_SOURCE = 8


def clean(text: str) -> str:
    """Lines that a terminal and a CI server take as nothing but text; always valid UTF-8."""
    if len(text) > _LONGEST:
        half = _LONGEST // 2
        text = f"{text[:half]}\n… {len(text) - _LONGEST} characters left out …\n{text[-half:]}"
    if not (text.isascii() and text.isprintable()):
        text = _NEWLINES.sub("\n", _ESCAPES.sub("", text)).expandtabs(4)
        text = _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))
    return _COMMANDS.sub("# #", text)


def one_line(text: str, *, limit: int = 200) -> str:
    """The same on one line of at most ``limit`` characters."""
    return clip(" ".join(clean(text[: limit * 8]).split()), limit=limit)


def clip(text: str, *, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: max(limit - 1, 0)]}…"


def forged(line: str) -> bool:
    """Whether a CI server would take the line for a command."""
    return _FORGED.match(line) is not None


def lines_that_matter(message: str, *, limit: int) -> list[str]:
    """At most ``limit`` lines of a failure's message, clean and never empty at the ends.

    Of pytest's long form the last block of ``E`` lines with the statement before and the place after it,
    of a Python traceback the exception, of anything else (Playwright) the head.
    """
    lines = [clip(line.rstrip(), limit=_LINE_LIMIT) for line in clean(message).strip("\n").split("\n")]
    assertions = [number for number, line in enumerate(lines) if _ASSERTION.match(line)]
    if assertions:
        return _assertion(lines, last=assertions[-1], limit=limit)
    if any(_TRACEBACK in line for line in lines):
        lines = _exception(lines)
    lines = _without_edges(lines)
    if len(lines) > limit:
        lines = [line for line in lines if line]
    return shorten(lines, limit=limit)


def first_line(message: str, *, limit: int = 200) -> str:
    """The one line of a failure's message that says most, without pytest's mark."""
    line = next(iter(lines_that_matter(message, limit=1)), "")
    return clip(_ASSERTION_MARK.sub("", line).strip(), limit=limit)


def tail(text: str, *, limit: int) -> list[str]:
    """The last ``limit`` lines, clean."""
    lines = [clip(line.rstrip(), limit=_LINE_LIMIT) for line in clean(text).split("\n")]
    return _without_edges(lines)[-limit:]


def shorten(lines: list[str], *, limit: int) -> list[str]:
    if len(lines) <= limit or limit <= 1:
        return lines[: max(limit, 0)]
    return [*lines[: limit - 1], f"… {len(lines) - limit + 1} more lines"]


def _assertion(lines: list[str], *, last: int, limit: int) -> list[str]:
    first = last
    while first and _ASSERTION.match(lines[first - 1]):
        first -= 1
    block = lines[first : last + 1]
    before = [line for line in lines[max(first - 1, 0) : first] if line.startswith(">")]
    after = [line for line in lines[last + 1 : last + 3] if _LOCATION.match(line)][:1]
    if limit < _ROOM_FOR_SOURCE or len(before) + len(block) + len(after) > limit:
        return shorten(block, limit=limit)
    return [*before, *block, *after]


def _exception(lines: list[str]) -> list[str]:
    """What follows the last frame of a traceback; all of it if nothing does."""
    start = max(number for number, line in enumerate(lines) if _TRACEBACK in line)
    frames = [
        number for number, line in enumerate(lines) if number >= start and line.startswith((" ", "Traceback"))
    ]
    return lines[frames[-1] + 1 :] or lines


def _without_edges(lines: list[str]) -> list[str]:
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1] if filled else []

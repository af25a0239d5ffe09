"""Text of children inside Markdown: always code, because nothing is obeyed in there, and nobody mentioned."""

import re
from collections.abc import Sequence
from html import escape

from e2e_orchestrator.reporters.text import clean, clip, one_line

_RUNS = re.compile("`+")
_LINE = 400


def code(text: str, *, limit: int = 200) -> str:
    """A code span on one line, safe in a table too; empty for an empty text."""
    shown = one_line(text, limit=limit).replace("`", "'").replace("|", "¦")
    return f"`{shown}`" if shown else ""


def html_code(text: str, *, limit: int = 200) -> str:
    """The same where only HTML works, as in a summary of details."""
    return f"<code>{escape(one_line(text, limit=limit))}</code>"


def fenced(text: str, *, lines: int) -> str:
    """A block with a fence that nothing in it can close; of many lines the first ones."""
    shown = [clip(line.rstrip(), limit=_LINE) for line in clean(text).strip("\n").split("\n")]
    if len(shown) > lines:
        shown = [*shown[:lines], f"… {len(shown) - lines} more lines"]
    body = "\n".join(shown)
    longest = max(map(len, _RUNS.findall(body)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}text\n{body}\n{fence}"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Empty without rows; the cells are Markdown."""
    if not rows:
        return ""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

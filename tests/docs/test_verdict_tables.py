"""The decision tables on the page are those of the code.

python tests/docs/test_verdict_tables.py      writes them anew
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from e2e_orchestrator.runners import command, django, playwright, pytest
from e2e_orchestrator.runners.decision import ENDINGS, Row

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "verdicts.md"
BEGIN, END = "<!-- begin tables -->\n", "<!-- end tables -->\n"


def rows(table: Iterable[Row[Any]]) -> str:
    lines = ["| what is found | verdict |", "|---|---|"]
    lines += [f"| {row.words} | {verdict(row)} |" for row in table]
    return "\n".join(lines)


def verdict(row: Row[Any]) -> str:
    if row.reason is None:
        return "**passed**"
    return f"passed, `{row.reason}`" if row.reason == "flaky" else f"`{row.reason}`"


def tables() -> str:
    own = ((name, module.TABLE[len(ENDINGS) :]) for name, module in MODULES)
    parts = [f"### Every runner, first\n\n{rows(ENDINGS)}\n"]
    parts += [f"### {name}\n\n{rows(table)}\n" for name, table in own]
    return "\n".join(parts)


MODULES: tuple[tuple[str, Any], ...] = (
    ("pytest", pytest),
    ("Playwright", playwright),
    ("Django", django),
    ("command", command),
)


def test_the_page_shows_the_tables_of_the_code() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    shown, end, _ = rest.partition(END)
    assert before
    assert end
    assert shown == tables(), "run: python tests/docs/test_verdict_tables.py"


def test_every_table_begins_with_the_endings_and_ends_with_a_pass() -> None:
    for _, module in MODULES:
        assert module.TABLE[: len(ENDINGS)] == ENDINGS
        assert module.TABLE[-1].reason is None


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(head + BEGIN + tables() + END + tail, encoding="utf-8")

"""The tables on the page are those of the code.

python tests/docs/test_verdict_tables.py      writes them anew
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e_orchestrator.engine.retry import cases_to_retry
from e2e_orchestrator.model.merge import merge_cases
from e2e_orchestrator.model.outcomes import Attempt, Case, CaseStatus, Reason, because
from e2e_orchestrator.runners import command, django, playwright
from e2e_orchestrator.runners import pytest as pytest_runner
from e2e_orchestrator.runners.decision import ENDINGS, Row

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "verdicts.md"


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
    ("pytest", pytest_runner),
    ("Playwright", playwright),
    ("Django", django),
    ("command", command),
)


def attempt(reason: Reason = Reason.TEST_FAILURES, *, shared: bool = False, **cases: str) -> Attempt:
    made = tuple(
        Case(id=name, status=CaseStatus(word), shared_failure=shared) for name, word in cases.items()
    )
    return Attempt(number=1, started_at="", duration=0.0, verdict=because(reason), slot=0, cases=made)


# What came before a retry; the code says what it is about.
BEFORE = {
    "cases failed": [attempt(a="passed", b="failed")],
    "cases failed, and others were not reached": [attempt(a="failed", b="not_run", c="passed")],
    "a case failed in a set-up or teardown of its own": [attempt(a="passed", b="error")],
    "something failed that cases share": [attempt(a="passed", b="error", shared=True)],
    "a case that was tried again was skipped, failed as expected, or did not run": [
        attempt(a="passed", b="failed"),
        attempt(Reason.FLAKY, b="skipped"),
    ],
    "the same, and another failed once more": [
        attempt(a="passed", b="failed", c="failed"),
        attempt(b="skipped", c="failed"),
    ],
    "cases failed, and the exit status (3 or above) objects to something else": [
        replace(attempt(a="passed", b="failed"), exit_status=7)
    ],
    "it failed, and no case did": [attempt(a="passed")],
    **{f"`{one}`": [attempt(one, a="failed")] for one in (Reason.CRASH, Reason.TIMEOUT)},
    **{f"`{one}`": [attempt(one, a="failed")] for one in (Reason.COLLECTION_ERROR, Reason.EVIDENCE_MISSING)},
}
# A bad case is a bad case: ``failed`` stands for the others.
SHOWN = tuple(one for one in CaseStatus if one not in (CaseStatus.ERROR, CaseStatus.TIMEOUT))


def retries() -> str:
    lines = ["| what came before | the retry is about |", "|---|---|"]
    return "\n".join([*lines, *(f"| {words} | {about(given)} |" for words, given in BEFORE.items())]) + "\n"


def about(given: list[Attempt]) -> str:
    return "the cases that failed or were not reached" if cases_to_retry(given) else "**the whole test**"


def merging() -> str:
    head = ["earlier ↓ later →", *(f"`{one}`" for one in SHOWN), "not there"]
    table = [head, *([f"`{one}`", *ends(one)] for one in SHOWN)]
    first, *others = (f"| {' | '.join(cells)} |" for cells in table)
    return "\n".join([first, "|---" * len(head) + "|", *others]) + "\n"


def ends(earlier: CaseStatus) -> Iterable[str]:
    for later in ({"a": one} for one in SHOWN):
        yield str(merge_cases([attempt(a=earlier), attempt(**later)])[0].status)
    yield str(merge_cases([attempt(a=earlier), attempt()])[0].status)


PARTS = {"tables": tables, "retries": retries, "merging": merging}


def marks(part: str) -> tuple[str, str]:
    return f"<!-- begin {part} -->\n", f"<!-- end {part} -->\n"


@pytest.mark.parametrize("part", PARTS)
def test_the_page_shows_the_tables_of_the_code(part: str) -> None:
    begin, end = marks(part)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    shown, found, _ = rest.partition(end)
    assert before
    assert found
    assert shown == PARTS[part](), "run: python tests/docs/test_verdict_tables.py"


def test_every_table_begins_with_the_endings_and_ends_with_a_pass() -> None:
    for _, module in MODULES:
        assert module.TABLE[: len(ENDINGS)] == ENDINGS
        assert module.TABLE[-1].reason is None


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    for name, made in PARTS.items():
        first, last = marks(name)
        text = text.partition(first)[0] + first + made() + last + text.partition(last)[2]
    PAGE.write_text(text, encoding="utf-8")

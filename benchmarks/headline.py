"""The few figures that the README shows, each beside its goal."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from table import Row, seconds

_OURS_WARM = "e2e-orchestrate, second run"
_PACKED = "e2e-orchestrate, `pack: auto`, {}"
_BY_HAND = "one hand-written invocation, {}"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """``cpu`` and ``wall`` are the largest ratios that are good enough."""

    what: str
    ours: str
    theirs: str
    cpu: float | None = None
    wall: float | None = None


@dataclass(frozen=True, kw_only=True)
class Alone:
    """A figure that needs no peer; ``row`` is a pattern of its row's name."""

    what: str
    row: str
    goal: str


COMPARED = (
    Compared(
        what="60 pytest files, a process each, beside `xargs pytest FILE`",
        ours=_OURS_WARM,
        theirs="a process for each file (xargs -P2)",
        cpu=0.08,
        wall=0.10,
    ),
    Compared(
        what="the same on the first run",
        ours="e2e-orchestrate, first run",
        theirs="a process for each file (xargs -P2)",
    ),
    Compared(
        what="the same, beside `pytest -n2 --dist loadfile`, which isolates nothing",
        ours=_OURS_WARM,
        theirs="pytest-xdist -n2 --dist loadfile",
        cpu=1.2,
        wall=1.1,
    ),
    Compared(
        what="12 Playwright specs, beside `npx playwright test FILE`",
        ours=_PACKED.format("Chromium"),
        theirs="`npx playwright test FILE` each, Chromium",
        cpu=0.57,
    ),
    Compared(
        what="the same, beside one hand-written invocation",
        ours=_PACKED.format("Chromium"),
        theirs=_BY_HAND.format("Chromium"),
        cpu=1.05,
        wall=1.05,
    ),
    Compared(
        what="the same with the headless shell, beside `npx playwright test FILE` with Chromium",
        ours=_PACKED.format("headless shell"),
        theirs="`npx playwright test FILE` each, Chromium",
        cpu=0.20,
    ),
    Compared(
        what="`true` as a test, beside `meson test`", ours="e2e-orchestrate", theirs="meson test", cpu=1.0
    ),
    Compared(what="the same, beside `xargs`, which keeps nothing", ours="e2e-orchestrate", theirs="xargs"),
    Compared(
        what="`--version`, beside `pytest --version`",
        ours="e2e-orchestrate --version",
        theirs="pytest --version",
        cpu=1.0,
    ),
    Compared(
        what="`plan` of six phases, beside `tox list`",
        ours="e2e-orchestrate plan",
        theirs="tox list",
        cpu=1.0,
    ),
)
ALONE = (
    Alone(
        what="end of a run above its lower bound, simulated",
        row="simulation, durations from history$",
        goal="1.01 mean, 1.06 worst",
    ),
    Alone(what="the same, really run", row="a real run: ", goal="1.08"),
    Alone(what="a database for the next slot", row="next slot$", goal="250 ms"),
    Alone(what="a database as new as at first", row="reset by clone$", goal="150 ms"),
    Alone(what="memory of a run of 50,000 cases", row=r"\d+ cases in one run", goal="150 MB"),
    Alone(what="HTML report of 50,000 cases: size", row=r"report of \d+ cases: size", goal="3 MB"),
    Alone(what="its rows are on the screen", row=r"report of \d+ cases: rows", goal="1 s"),
    Alone(what="its filter has answered", row=r"report of \d+ cases: the filter", goal="150 ms"),
)


def headline(rows: Sequence[Row], *, whole: bool = False) -> str:
    """One table each for ratios and for figures, of what was measured.

    ``whole``: what was not is in them too, with its goal, so that no goal is dropped unseen.
    """
    found = {row.contestant: row for row in rows}
    ratios, figures = [*_ratios(found, whole=whole)], [*_figures(rows, whole=whole)]
    tables = [
        ["| | ours, CPU | theirs, CPU | ratio of CPU | of wall time |", "|---|---|---|---|---|", *ratios],
        ["| | measured | goal |", "|---|---|---|", *figures],
    ]
    return "\n\n".join("\n".join(lines) for lines in tables if len(lines) > 2)  # noqa: PLR2004 - its head


def _ratios(found: Mapping[str, Row], *, whole: bool) -> Iterator[str]:
    for one in COMPARED:
        if one.ours in found and one.theirs in found:
            ours, theirs = found[one.ours], found[one.theirs]
            cells = (
                one.what,
                seconds(ours.cpu),
                seconds(theirs.cpu),
                _ratio(ours.cpu, theirs.cpu, goal=one.cpu),
                _ratio(ours.wall, theirs.wall, goal=one.wall),
            )
            yield f"| {' | '.join(cells)} |"
        elif whole:
            yield f"| {one.what} | not measured | | {_goal(one.cpu)} | {_goal(one.wall)} |"


def _figures(rows: Sequence[Row], *, whole: bool) -> Iterator[str]:
    for one in ALONE:
        row = next((row for row in rows if re.match(one.row, row.contestant)), None)
        if row is not None or whole:
            yield f"| {one.what} | {_figure(row) if row else 'not measured'} | {one.goal} |"


def _ratio(ours: float | None, theirs: float | None, *, goal: float | None) -> str:
    """With its goal, so that what is not reached is seen."""
    if not ours or not theirs:
        return ""
    return f"{ours / theirs:.2f} {_goal(goal)}".rstrip()


def _goal(goal: float | None) -> str:
    return "" if goal is None else f"(goal: {goal:.2f})"


def _figure(row: Row) -> str:
    return row.figure.removeprefix("peak ") or seconds(row.wall)

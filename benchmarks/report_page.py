"""H: the HTML report of 50,000 cases: how long it takes to write, how large it is, and what it costs to open.

Needs Chromium (CHROMIUM_PATH, or on PATH). The run is made up from events, as in the tests of the page.
"""

import importlib
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ours import ROOT, ours
from playwright.sync_api import sync_playwright
from table import Row

SECTION = "H. HTML report"
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_ARGS = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]


def rows(rounds: int) -> list[Row]:
    return _rows(rounds, cases=50_000)


def smoke() -> list[Row]:
    return _rows(1, cases=500)


def _rows(rounds: int, *, cases: int) -> list[Row]:
    """Raises RuntimeError if there is no browser."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "web")]
    reports = importlib.import_module("reports")
    with tempfile.TemporaryDirectory() as place:
        output = Path(place) / "test-results"
        report: Path = reports.write(output, reports.very_many(cases))
        written = [
            ours(Path(place), "replay", "--report", "html", codes=(0, 1)) for _ in range(min(rounds, 3))
        ]
        found = _seen(report, rounds)
    return [
        Row(
            section=SECTION,
            contestant=f"replay of {cases} cases into HTML",
            wall=statistics.median(one.wall for one in written),
            cpu=statistics.median(one.cpu for one in written),
            note=f"peak {max(one.peak for one in written) / 1e6:.0f} MB",
        ),
        Row(
            section=SECTION,
            contestant=f"report of {cases} cases: size",
            figure=f"{found[0].size / 1e6:.2f} MB",
            note="one file, without artifacts",
        ),
        _seconds(f"report of {cases} cases: rows are on the screen", [one.rows for one in found]),
        _seconds(f"report of {cases} cases: the filter has answered", [one.filter for one in found]),
    ]


def _seen(report: Path, rounds: int) -> list[Any]:
    """The figures of each time that the report was opened, in a browser that is warm."""
    measured = importlib.import_module("figures").measured
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=_args())
        try:
            page = browser.new_page(viewport={"width": 1360, "height": 860})
            page.goto(f"{report.as_uri()}#/tests?view=flat")
            page.wait_for_selector(".row.case")
            return [measured(page, report) for _ in range(rounds)]
        finally:
            browser.close()


def _chromium() -> str:
    found = os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise RuntimeError("there is no Chromium: install one, or name it in CHROMIUM_PATH")
    return found


def _args() -> list[str]:
    return [*_ARGS, "--no-sandbox"] if os.geteuid() == 0 else _ARGS


def _seconds(name: str, walls: Sequence[float]) -> Row:
    wall = statistics.median(walls)
    return Row(section=SECTION, contestant=name, wall=wall, spread=(max(walls) - min(walls)) / wall)

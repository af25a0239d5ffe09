"""Runs the comparisons and writes their table: ``scripts/bench`` calls it."""

import argparse
import importlib
import os
import platform
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from headline import headline
from ours import ROOT
from table import Row, markdown
from tools import installed_versions

SECTIONS = {
    "A": "pytest_files",
    "B": "playwright_specs",
    "C": "dispatch",
    "D": "startup",
    "E": "scheduling",
    "F": "databases",
    "G": "sizes",
    "H": "report_page",
}
_LEGEND = "`ratio` is CPU over that of the first row of its table, `spread` (worst - best) / median of the wall times."
TABLES, HEADLINE = "bench", "bench headline"
PAGES = (ROOT / "README.md", ROOT / "docs" / "explanation" / "performance.md")


def main() -> None:
    """Ends with 1 if a section could not be measured, after all others."""
    asked = _arguments()
    load = os.getloadavg()[0]
    rows: list[Row] = []
    failed: list[str] = []
    for letter in asked.only:
        began = time.monotonic()
        sys.stderr.write(f"{letter} …\n")
        try:
            found = measured(letter, rounds=asked.rounds, smoke=asked.smoke)
        except Exception:  # noqa: BLE001 - half an hour of other sections is not thrown away for one.
            traceback.print_exc()
            failed.append(letter)
            continue
        sys.stderr.write(f"{markdown(found)}{letter} took {time.monotonic() - began:.0f} s\n")
        rows += found
    said = conditions(rounds=1 if asked.smoke else asked.rounds, load=load)
    print(f"{said}\n{_LEGEND}\n\n{markdown(rows)}")
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}; no page was written")
    for page in asked.write or ():
        insert(page, rows, said=said, whole=not asked.smoke and asked.only == list(SECTIONS))


def measured(letter: str, *, rounds: int, smoke: bool) -> list[Row]:
    section = importlib.import_module(SECTIONS[letter])
    return list(section.smoke() if smoke else section.rows(rounds))


def conditions(*, rounds: int, load: float) -> str:
    """What a reader has to know to compare; ``load`` is that before anything was measured."""
    cores = os.cpu_count() or 1
    busy = (
        ", so the machine was busy: compare the ratios of CPU, wall times are noise"
        if load > cores / 2
        else ""
    )
    return (
        f"`{' '.join(['scripts/bench', *sys.argv[1:]])}`, {datetime.now(UTC):%Y-%m-%d}, "
        f"{platform.system()}, {cores} cores, Python {platform.python_version()}, "
        f"{', '.join(_versions())}; medians of {rounds} interleaved rounds; load average before {load:.1f}{busy}."
    )


def insert(page: Path, rows: Sequence[Row], *, said: str, whole: bool) -> None:
    """All tables or the few figures of the headline, as the page's marks say."""
    parts = _around(page)
    if parts is None:
        raise ValueError(f"{page} lost its marks")
    mark, before, after = parts
    table = f"{headline(rows, whole=whole)}\n" if mark == HEADLINE else markdown(rows)
    legend = "" if mark == HEADLINE else f"\n{_LEGEND}"
    page.write_text(f"{before}\n\n{said}{legend}\n\n{table}\n{after}", encoding="utf-8")


def _around(page: Path) -> tuple[str, str, str] | None:
    """Which marks the page has, and its text up to and including the first, and from the second on."""
    text = page.read_text(encoding="utf-8")
    for mark in (HEADLINE, TABLES):
        begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
        if 0 <= text.find(begin) < text.find(end):
            return mark, text[: text.index(begin) + len(begin)], text[text.index(end) :]
    return None


def _versions() -> list[str]:
    said = installed_versions()
    if node := shutil.which("node"):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        said.append(f"node {version.strip().removeprefix('v')}")
    return said


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures us beside our peers.")
    parser.add_argument("--rounds", type=_positive, default=5, help="of every comparison; default 5")
    parser.add_argument("--only", type=_letters, default=list(SECTIONS), help="sections, such as C,D")
    parser.add_argument("--smoke", action="store_true", help="the smallest sizes, once: does it still work?")
    parser.add_argument(
        "--write",
        type=Path,
        nargs="*",
        metavar="PAGE",
        help="put the tables between the marks of each page; without a name README.md and performance.md",
    )
    asked = parser.parse_args()
    if asked.write == []:
        if asked.smoke or asked.only != list(SECTIONS):
            parser.error("the pages show all sections: name a PAGE, or leave out --only and --smoke")
        asked.write = list(PAGES)
    for page in asked.write or ():
        if not page.is_file():
            parser.error(f"there is no page {page}")
        if _around(page) is None:
            parser.error(f"{page} has no <!-- {TABLES}: begin --> … <!-- {TABLES}: end -->")
    return asked


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _letters(text: str) -> list[str]:
    letters = [one.strip().upper() for one in text.split(",")]
    if unknown := [one for one in letters if one not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return letters


if __name__ == "__main__":
    main()

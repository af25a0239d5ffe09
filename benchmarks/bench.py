"""Runs the comparisons and writes their table: ``scripts/bench`` calls it."""

import argparse
import importlib
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

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
}
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def main() -> None:
    asked = _arguments()
    rows: list[Row] = []
    for letter in asked.only:
        sys.stderr.write(f"{letter} …\n")
        found = measured(letter, rounds=asked.rounds, smoke=asked.smoke)
        sys.stderr.write(markdown(found))
        rows += found
    text = f"{conditions(rounds=1 if asked.smoke else asked.rounds)}\n\n{markdown(rows)}"
    if asked.write:
        insert(asked.write, text)
    print(text)


def measured(letter: str, *, rounds: int, smoke: bool) -> list[Row]:
    """The rows of a section; none if this checkout does not have it, or has nothing quick of it for a smoke."""
    name = SECTIONS[letter]
    try:
        section = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        sys.stderr.write(f"  {letter} is not measured: there is no benchmarks/{name}.py\n")
        return []
    if smoke:
        return list(section.smoke()) if hasattr(section, "smoke") else []
    return list(section.rows(rounds))


def conditions(*, rounds: int) -> str:
    """What a reader has to know to compare."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    busy = ", so the machine was busy: wall times are noise" if load > cores else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.release()}, {cores} cores, "
        f"Python {platform.python_version()}, {', '.join(_versions())}; medians of {rounds} interleaved rounds; "
        f"load average at the end {load:.1f}{busy}.\n"
        "`ratio` is CPU over that of the first row of its table, `spread` (worst - best) / median of the wall times."
    )


def insert(page: Path, text: str) -> None:
    """Between the marks of the page. Raises ValueError if it has none."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


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
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the page's marks")
    return parser.parse_args()


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

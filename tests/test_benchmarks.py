"""The benchmarks still run: the smallest sizes of each, once. What they measure is no test."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.kinds import needs_playwright

ROOT = Path(__file__).parents[1]
BENCH = ROOT / "benchmarks" / "bench.py"
PAGE = "before\n<!-- {0}: begin -->\nold\n<!-- {0}: end -->\nafter\n"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BENCH, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def in_benchmarks(code: str) -> str:
    """What it prints, where the modules of the benchmarks can be imported."""
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=BENCH.parent, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def needs_chromium() -> None:
    if not (os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("there is no Chromium: install one, or set CHROMIUM_PATH")


def needs_both_browsers() -> None:
    """Goals of the headline compare with Chromium itself: with its headless shell alone they have no row."""
    if "Chromium" not in in_benchmarks(
        "import playwright_specs\nprint(*playwright_specs.browsers(), sep=', ')"
    ):
        pytest.skip("there is only a headless shell: install Chromium, or name it in CHROMIUM_PATH")


def needs_postgresql() -> None:
    try:
        socket.create_connection((os.environ.get("PGHOST", "127.0.0.1"), 5432), timeout=3).close()
    except OSError as error:
        pytest.skip(f"needs PostgreSQL at 127.0.0.1:5432: {error}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("letter", "rows", "chosen"),
    [
        ("A", ["a process for each file (xargs -P2)", "e2e-orchestrate, second run", "one pytest"], 3),
        pytest.param(
            "B",
            ["one hand-written invocation, ", "e2e-orchestrate, `pack: auto`, "],
            2,
            marks=pytest.mark.browser,
        ),
        ("C", ["e2e-orchestrate", "xargs"], 1),
        ("D", ["e2e-orchestrate --version", "e2e-orchestrate plan", "e2e-orchestrate run"], 0),
        ("E", ["simulation, durations from history", "a real run: 8 sleeping tests on 4 slots"], 2),
        ("F", ["first slot: template and clone"], 0),
        ("G", ["a test that prints 10 MB", "500 cases in one run", "`plan` of 100 tests"], 1),
        pytest.param(
            "H",
            ["replay of 500 cases into HTML", "report of 500 cases: rows are on the screen"],
            3,
            marks=pytest.mark.browser,
        ),
    ],
)
def test_a_section_gives_its_rows(letter: str, rows: list[str], chosen: int, tmp_path: Path) -> None:
    """``chosen`` are those of the headline; the smallest sizes have few peers."""
    if letter == "B":
        needs_playwright()
    if letter in "BH":
        needs_chromium()
    if letter == "B":
        needs_both_browsers()
    if letter == "F":
        needs_postgresql()
    page, readme = tmp_path / "page.md", tmp_path / "README.md"
    page.write_text(PAGE.format("bench"))
    readme.write_text(PAGE.format("bench headline"))
    ended = bench("--smoke", "--only", letter, "--write", str(page), str(readme))
    assert ended.returncode == 0, ended.stderr
    assert f"### {letter}. " in ended.stdout
    for row in rows:
        assert f"| {row}" in ended.stdout
    text = page.read_text()
    assert text.startswith(f"before\n<!-- bench: begin -->\n\n`scripts/bench --smoke --only {letter}")
    assert text.endswith("<!-- bench: end -->\nafter\n")
    assert "old" not in text
    shown = [line for line in readme.read_text().splitlines() if line.startswith("| ") and line[2] != "|"]
    assert len(shown) >= chosen


@pytest.mark.slow
def test_pages_get_the_tables_or_the_headline_as_their_marks_say(tmp_path: Path) -> None:
    readme, page = tmp_path / "README.md", tmp_path / "performance.md"
    readme.write_text(PAGE.format("bench headline"))
    page.write_text(PAGE.format("bench"))
    ended = bench("--smoke", "--only", "C,E", "--write", str(readme), str(page))
    assert ended.returncode == 0, ended.stderr
    head, _, rest = readme.read_text().partition("\n\n| |")
    assert head.startswith("before\n<!-- bench headline: begin -->\n\n`scripts/bench --smoke --only C,E ")
    assert "| the same, beside `xargs`, which keeps nothing | " in rest
    assert "| the same, really run | " in rest
    assert "| 1.08 |" in rest
    assert "### C. Dispatch" not in rest
    assert "### C. Dispatch" in page.read_text()


@pytest.mark.slow
def test_a_section_that_cannot_be_measured_costs_no_other_and_no_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.format("bench"))
    ended = subprocess.run(
        [sys.executable, BENCH, "--smoke", "--only", "F,C", "--write", page],
        cwd=ROOT,
        env={**os.environ, "PGHOST": "127.0.0.1", "PGUSER": "nobody of that name"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.endswith("could not be measured: F; no page was written\n")
    assert "| xargs | " in ended.stdout
    assert page.read_text() == PAGE.format("bench")


@pytest.mark.parametrize("whole", [True, False])
def test_a_goal_that_was_not_measured_is_seen_where_all_sections_ran(whole: bool) -> None:
    lines = in_benchmarks(
        "from headline import headline\n"
        "from table import Row\n"
        "names = 'e2e-orchestrate', 'xargs', 'next slot'\n"
        f"print(headline([Row(section='', contestant=name, wall=2, cpu=1) for name in names], whole={whole}))"
    ).splitlines()
    assert "| the same, beside `xargs`, which keeps nothing | 1.00 s | 1.00 s | 1.00 | 1.00 |" in lines
    assert "| a database for the next slot | 2.00 s | 250 ms |" in lines
    for unseen in (
        "| the same, beside one hand-written invocation | not measured | | (goal: 1.05) | (goal: 1.05) |",
        "| memory of a run of 50,000 cases | not measured | 150 MB |",
    ):
        assert (unseen in lines) is whole
    assert len(lines) == (10 + 8 + 5 if whole else 1 + 1 + 5)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "C,X"], "no section X; there are A, B, C, D, E, F, G, H"),
        (["--only", "C", "--write"], "the pages show all sections"),
        (["--write", "nowhere.md"], "there is no page nowhere.md"),
        (["--write", "LICENSE"], "LICENSE has no <!-- bench: begin -->"),
    ],
    ids=["an unknown section", "the committed pages with a part", "no page", "a page without marks"],
)
def test_a_usage_error(arguments: list[str], says: str) -> None:
    ended = bench(*arguments)
    assert ended.returncode == 2
    assert says in ended.stderr


@pytest.mark.parametrize(
    ("page", "mark"), [("README.md", "bench headline"), ("docs/explanation/performance.md", "bench")]
)
def test_the_committed_pages_have_their_marks(page: str, mark: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.count(f"<!-- {mark}: begin -->") == text.count(f"<!-- {mark}: end -->") == 1

"""The benchmarks still run: the smallest sizes of each, once. What they measure is no test."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCH = ROOT / "benchmarks" / "bench.py"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BENCH, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("letter", "rows"),
    [
        ("C", ["e2e-orchestrate", "xargs"]),
        ("D", ["e2e-orchestrate --version", "e2e-orchestrate plan", "e2e-orchestrate run"]),
        ("E", ["simulation, durations from history", "a real run: 8 sleeping tests on 4 slots"]),
        ("G", ["a test that prints 10 MB", "500 cases in one run", "`plan` of 100 tests"]),
    ],
)
def test_a_section_gives_its_rows(letter: str, rows: list[str], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n")
    ended = bench("--smoke", "--only", letter, "--write", str(page))
    assert ended.returncode == 0, ended.stderr
    assert f"### {letter}. " in ended.stdout
    for row in rows:
        assert f"| {row} | " in ended.stdout
    text = page.read_text()
    assert text.startswith("before\n<!-- bench: begin -->\n\n20")
    assert text.endswith("<!-- bench: end -->\nafter\n")
    assert "old" not in text


def test_a_section_that_does_not_exist_is_a_usage_error() -> None:
    ended = bench("--only", "C,X")
    assert ended.returncode == 2
    assert "no section X; there are A, B, C, D, E, F, G" in ended.stderr

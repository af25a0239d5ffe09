"""A: sixty small pytest files, two at a time: a process for each, however that is done, against what isolates less.

    python benchmarks/pytest_files.py [ROUNDS [FILES]]

Each file has three trivial cases; their conftest imports httpx, pydantic and sqlalchemy. Times are of the whole
program with everything below it, its start, journal and reports included.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from table import Contestant, Row, Sample, command, compare, markdown

SECTION = "A. pytest: files of 3 cases, two at a time"
FILES = 60
_CASES = "".join(f"def test_{name}():\n    pass\n\n\n" for name in "abc")
_CLEAN = {"PYTHONDONTWRITEBYTECODE": "", "PYTEST_ADDOPTS": "", "PYTHONUNBUFFERED": ""}
_ROOT = Path(__file__).parents[1]
_PYTEST = (sys.executable, "-m", "pytest", "-q")
_OURS = (sys.executable, "-m", "e2e_orchestrator", "-q", "--workers", "2")


def rows(rounds: int, *, files: int = FILES) -> list[Row]:
    """The first is what the others are compared with: a process for each file, as a shell loop has it."""
    with _suite(files) as folder:
        return compare(SECTION, _contestants(folder), rounds=rounds)


def smoke() -> list[Row]:
    return rows(1, files=3)


def _contestants(folder: Path) -> Sequence[Contestant]:
    known = folder / "known"
    _ours(folder, "--warm", "auto", output=known)  # Knows what is imported, as any second run does.
    return (
        Contestant(name="a process for each file (xargs -P2)", measure=lambda: _loop(folder)),
        Contestant(name="e2e-orchestrate --warm off", measure=lambda: _ours(folder, "--warm", "off")),
        Contestant(
            name="e2e-orchestrate, first run", measure=lambda: _ours(folder), note="learns what is imported"
        ),
        Contestant(
            name="e2e-orchestrate, second run",
            measure=lambda: _ours(folder, output=known),
            note="isolates each file in a process",
        ),
        Contestant(
            name="pytest-xdist -n2 --dist loadfile",
            measure=lambda: _xdist(folder, "loadfile"),
            note="isolates nothing",
        ),
        Contestant(
            name="pytest-xdist -n2 --dist worksteal",
            measure=lambda: _xdist(folder, "worksteal"),
            note="the same",
        ),
        Contestant(
            name="one pytest", measure=lambda: _pytest(folder), note="isolates nothing, one at a time"
        ),
    )


@contextmanager
def _suite(files: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="e2e-benchmark-") as name:
        folder = Path(name)
        (folder / "tests").mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "tests" / "conftest.py").write_text("import httpx\nimport pydantic\nimport sqlalchemy\n")
        for number in range(files):
            (folder / "tests" / f"test_{number:02}.py").write_text(_CASES)
        phase = {"name": "p", "runner": "r", "timeout": 900, "tests": ["tests/test_*.py"]}
        config = {
            "timeout": 900,
            "runners": {"r": {"kind": "pytest", "python": sys.executable}},
            "phases": [phase],
        }
        (folder / "phases.yaml").write_text(json.dumps(config))
        _pytest(folder)  # Compiles the files, once for all.
        yield folder


def _ours(folder: Path, *arguments: str, output: Path | None = None) -> Sample:
    fresh = folder / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    where = ("--output", str(output or fresh))
    return command([*_OURS, *where, *arguments], cwd=folder, env={**_CLEAN, "PYTHONPATH": str(_ROOT)})


def _loop(folder: Path) -> Sample:
    words = f"ls tests/test_*.py | xargs -P2 -n1 {subprocess.list2cmdline(_PYTEST)}"
    return command(["sh", "-c", words], cwd=folder, env=_CLEAN)


def _xdist(folder: Path, dist: str) -> Sample:
    return command([*_PYTEST, "-n2", "--dist", dist], cwd=folder, env=_CLEAN)


def _pytest(folder: Path) -> Sample:
    return command(_PYTEST, cwd=folder, env=_CLEAN)


def main() -> None:
    rounds, files = (*map(int, sys.argv[1:]), *(5, FILES)[len(sys.argv) - 1 :])
    print(markdown(rows(rounds, files=files)))


if __name__ == "__main__":
    main()

"""G: what grows with a run and should not, or only a little: memory, and the time for reports."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ours import newest_run, ours, phases
from table import Row, Sample

SECTION = "G. Memory and size"
# As cheap as a child can be that tells of so many cases: its memory is not what is measured.
_CASES = """\
import json, os, sys
with open(os.environ["E2E_EVENTS"], "a") as stream:
    def say(**line): stream.write(json.dumps(line) + "\\n")
    say(event="session_started")
    for at in range(int(sys.argv[1])):
        say(event="case_started", id=f"test_many.py::test_case[{at}]")
        say(event="case_finished", id=f"test_many.py::test_case[{at}]", status="passed", duration=0.001)
    say(event="session_finished", exit_status=0)
"""


def rows(rounds: int) -> list[Row]:
    """The largest of ``rounds`` peaks; memory is no matter of chance, so three are enough."""
    return _rows(min(rounds, 3), output=1000, cases=50_000, tests=10_000)


def smoke() -> list[Row]:
    return _rows(1, output=10, cases=500, tests=100)


def _rows(rounds: int, *, output: int, cases: int, tests: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        return [
            *_output(root, megabytes=output, rounds=rounds),
            *_cases(root, cases, rounds=rounds),
            _planned(root, tests, rounds=rounds),
        ]


def _output(root: Path, *, megabytes: int, rounds: int) -> list[Row]:
    quiet, loud = _folder(root, "quiet"), _folder(root, "loud")
    phases(quiet, [{"name": "p", "tests": {"t": "sh -c 'yes | head -c 10'"}}])
    noise = f"sh -c 'yes | head -c {megabytes * 1_000_000}'"
    phases(loud, [{"name": "p", "timeout": "1h", "tests": {"t": noise}}])
    few = _largest(lambda: ours(quiet, "run", "-q"), rounds)
    many = _largest(lambda: ours(loud, "run", "-q"), rounds)
    grown = (many.peak - few.peak) / 1e6
    return [
        _memory("a run of one quiet test", few),
        _memory(f"a test that prints {megabytes} MB", many, note=f"{grown:+.1f} MB above the quiet one"),
    ]


def _cases(root: Path, cases: int, *, rounds: int) -> list[Row]:
    folder = _folder(root, "cases")
    (folder / "cases.py").write_text(_CASES)
    target = f"{sys.executable} cases.py {cases}"
    phases(folder, [{"name": "p", "timeout": "1h", "tests": {"t": target}}])
    run = _largest(lambda: ours(folder, "run", "-q"), rounds)
    again = _largest(lambda: ours(folder, "replay", newest_run(folder).name, "--report", "json"), rounds)
    return [
        _memory(f"{cases} cases in one run", run),
        Row(
            section=SECTION,
            contestant=f"replay of {cases} cases into JSON",
            wall=again.wall,
            cpu=again.cpu,
            note=f"peak {again.peak / 1e6:.0f} MB",
        ),
    ]


def _planned(root: Path, tests: int, *, rounds: int) -> Row:
    folder = _folder(root, "planned")
    phases(folder, [{"name": "p", "tests": {f"t{at}": "true" for at in range(tests)}}])
    return _memory(f"`plan` of {tests} tests", _largest(lambda: ours(folder, "plan"), rounds))


def _folder(root: Path, name: str) -> Path:
    folder = root / name
    folder.mkdir()
    return folder


def _largest(measure: Callable[[], Sample], rounds: int) -> Sample:
    samples = [measure() for _ in range(rounds)]
    return max(samples, key=lambda sample: sample.peak)


def _memory(name: str, sample: Sample, *, note: str = "") -> Row:
    said = "; ".join(filter(None, [note, f"{sample.wall:.1f} s, CPU {sample.cpu:.1f} s"]))
    return Row(section=SECTION, contestant=name, figure=f"peak {sample.peak / 1e6:.0f} MB", note=said)

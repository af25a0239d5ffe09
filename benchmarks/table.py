"""The common shape of every comparison: measure contestants in turns, and write one table of medians.

A section is a module with ``rows(rounds)``, which returns the :class:`Row` objects of its part of the table.
"""

import ctypes
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SET_SUBREAPER = 36
_STRAY_SECONDS = 2.0
# Installed programs are compiled; where the machine says otherwise, every start would compile a hundred modules.
_AS_INSTALLED = {"PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table: ``wall`` and ``cpu`` are median seconds, of whatever ``contestant`` says.

    ``cpu`` is user and system time of the whole process tree; ``ratio`` compares it (without it, the wall
    time) with the first contestant of the section; ``spread`` is (worst - best) / median of the wall times, so
    how noisy the machine was. None where it says nothing. ``figure`` stands instead of times where something
    else was measured, such as megabytes.
    """

    section: str
    contestant: str
    wall: float | None = None
    cpu: float | None = None
    ratio: float | None = None
    spread: float | None = None
    figure: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement, in seconds; ``peak`` is the largest resident set of any process, in bytes."""

    wall: float
    cpu: float
    peak: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """``per`` divides its times, so that a row can speak of one test instead of a thousand."""

    name: str
    measure: Callable[[], Sample]
    per: int = 1
    note: str = ""


def command(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, codes: Sequence[int] = (0,)
) -> Sample:
    """Runs a program to its end, with everything it started; raises RuntimeError for any other exit code."""
    _adopt_orphans()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env={**os.environ, **_AS_INSTALLED, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in codes:
            output.seek(max(0, output.seek(0, os.SEEK_END) - 2000))
            end = output.read().decode("utf-8", "replace")
            raise RuntimeError(f"{' '.join(argv)} ended with {child.returncode}:\n{end}")
    _wait_for_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(wall=wall, cpu=cpu, peak=used.ru_maxrss * 1024)


def compare(section: str, contestants: Sequence[Contestant], *, rounds: int) -> list[Row]:
    """A B C A B C …, so that all of them meet the same noise; the first is what the others are compared with."""
    samples: dict[str, list[Sample]] = {one.name: [] for one in contestants}
    for _ in range(rounds):
        for one in contestants:
            samples[one.name].append(one.measure())
    first = statistics.median(sample.cpu / contestants[0].per for sample in samples[contestants[0].name])
    return [_row(section, one, samples[one.name], first=first) for one in contestants]


def _row(section: str, one: Contestant, samples: Sequence[Sample], *, first: float) -> Row:
    walls = [sample.wall / one.per for sample in samples]
    wall, cpu = statistics.median(walls), statistics.median(sample.cpu / one.per for sample in samples)
    return Row(
        section=section,
        contestant=one.name,
        wall=wall,
        cpu=cpu,
        ratio=cpu / first if first else None,
        spread=(max(walls) - min(walls)) / wall if wall else None,
        note=one.note,
    )


def markdown(rows: Iterable[Row]) -> str:
    """A table for each section, in the order of the rows."""
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(row.section, []).append(row)
    return "\n".join(f"### {section}\n\n{_table(found)}" for section, found in sections.items())


def _table(rows: Sequence[Row]) -> str:
    """Only with the columns in which something stands."""
    columns = {
        "contestant": [row.contestant for row in rows],
        "figure": [row.figure for row in rows],
        "wall": [seconds(row.wall) for row in rows],
        "CPU": [seconds(row.cpu) for row in rows],
        "ratio": ["" if row.ratio is None else f"{row.ratio:.2f}" for row in rows],
        "spread": ["" if row.spread is None else f"{row.spread:.0%}" for row in rows],
        "note": [row.note for row in rows],
    }
    shown = {name: cells for name, cells in columns.items() if any(cells)}
    lines = [" | ".join(shown), "|".join("---" for _ in shown)]
    lines += [" | ".join(cells) for cells in zip(*shown.values(), strict=True)]
    return "".join(f"| {line} |\n" if "---" not in line else f"|{line}|\n" for line in lines)


def seconds(value: float | None) -> str:
    """``12.3 s`` or ``45.6 ms``; empty for None."""
    if value is None:
        return ""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _adopt_orphans() -> None:
    """What a contestant leaves behind comes to us, and its processor time with it (Linux)."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SET_SUBREAPER, 1, 0, 0, 0)


def _wait_for_orphans() -> None:
    until = time.monotonic() + _STRAY_SECONDS
    while time.monotonic() < until:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            time.sleep(0.01)

"""Puts the coverage of all attempts together, with the project's own coverage.py, and writes its reports."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from e2e_orchestrator.model.events import Counted, CoverageMeasured
from e2e_orchestrator.model.names import file_name
from e2e_orchestrator.model.outcomes import Attachment
from e2e_orchestrator.model.plan import RunnerSpec, Test
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.parsers.coverage_file import Reached
from e2e_orchestrator.protocols import Runner

DATA = "coverage-data"
FOLDER = "coverage"

_SECONDS = 120.0
_REPORTS = (("xml", "coverage.xml", "application/xml"), ("html", "index.html", "text/html"))


@dataclass(slots=True, kw_only=True)
class _Sum:
    lines: list[Counted] = field(default_factory=list)
    branches: list[Counted] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def told(self) -> CoverageMeasured:
        return CoverageMeasured(
            lines=_together(self.lines),
            branches=_together(self.branches),
            files=tuple(self.files),
            problem="; ".join(self.problems) or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """``output`` is where the paths of evidence start, ``folder`` the run's own below it.

    ``interpreter`` is the python that runs a test.
    """

    output: Path
    folder: Path
    interpreter: Callable[[TestState], str]
    environ: Mapping[str, str]

    def measure(self, state: RunState) -> CoverageMeasured | None:
        """None if no runner measures anything; what went wrong is part of what is told."""
        asked = [spec for spec in (state.plan.runners if state.plan else ()) if spec.coverage]
        if not asked:
            return None
        found = _Sum()
        for spec in asked:
            tests = [test for test in state.tests if test.test.runner == spec.name]
            if spec.coverage and spec.coverage.source:
                self._combine(spec, tests, into=found)
            if spec.coverage and spec.coverage.files:
                self._read(spec.coverage.files, tests, into=found)
        return found.told()

    def _read(self, patterns: Iterable[str], tests: Iterable[TestState], *, into: _Sum) -> None:
        reached = Reached()
        for one in _left(tests):
            if any(fnmatch(one.name, pattern) for pattern in patterns):
                try:
                    reached.add(self.output / one.path)
                    into.files.append(one)
                except (OSError, ValueError) as error:
                    into.problems.append(f"{one.name}: {error}")
        for counts, places in ((into.lines, reached.lines), (into.branches, reached.branches)):
            counts.append(Counted(total=len(places), covered=sum(places.values())))

    def _combine(self, spec: RunnerSpec, tests: list[TestState], *, into: _Sum) -> None:
        with_data = [test for test in tests if any(one.name == DATA for one in _left([test]))]
        if not with_data:
            into.problems.append(f"runner {spec.name} left no coverage data")
            return
        paths = [str(self.output / one.path) for one in _left(with_data) if one.name == DATA]
        target = self.folder / FOLDER / file_name(spec.name)
        try:
            target.mkdir(parents=True, exist_ok=True)
            totals = self._report(with_data[0], paths, target=target)
        except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            into.problems.append(f"coverage of runner {spec.name} cannot be put together: {_short(error)}")
            return
        into.lines.append(Counted(total=totals["num_statements"], covered=totals["covered_lines"]))
        branches = Counted(total=totals.get("num_branches", 0), covered=totals.get("covered_branches", 0))
        into.branches.append(branches)
        for name, file, content_type in _REPORTS:
            path = target / ("html" if name == "html" else "") / file
            if path.is_file():
                shown = path.relative_to(self.output).as_posix()
                into.files.append(Attachment(name=f"coverage-{name}", path=shown, content_type=content_type))

    def _report(self, test: TestState, paths: list[str], *, target: Path) -> Mapping[str, Any]:
        """The totals of coverage.py's own JSON report; thresholds of the project's are not ours."""

        def coverage(*words: str) -> None:
            argv = [self.interpreter(test), "-m", "coverage", *words]
            done = subprocess.run(  # noqa: PLW1510 - the output says what went wrong.
                argv,
                cwd=test.test.cwd,
                env={**os.environ, **self.environ, **test.test.env},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                text=True,
                errors="replace",
            )
            if done.returncode:
                raise ValueError(f"coverage {words[0]}: {(done.stdout + done.stderr).strip()[-400:]}")

        data = f"--data-file={target / 'coverage.data'}"
        (target / "coverage.data").unlink(missing_ok=True)
        coverage("combine", "--keep", "--quiet", data, *paths)
        common = (data, "--fail-under=0", "--quiet", "--ignore-errors")
        coverage("json", *common, "-o", str(target / "coverage.json"))
        coverage("xml", *common, "-o", str(target / "coverage.xml"))
        coverage("html", *common, "-d", str(target / "html"))
        totals: Mapping[str, Any] = json.loads((target / "coverage.json").read_bytes())["totals"]
        return totals


def _left(tests: Iterable[TestState]) -> Iterator[Attachment]:
    return (one for test in tests for attempt in test.attempts for one in attempt.attachments)


def _together(counts: Iterable[Counted]) -> Counted:
    told = list(counts)
    return Counted(total=sum(one.total for one in told), covered=sum(one.covered for one in told))


def _short(error: Exception) -> str:
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


def measuring_of(
    runners: Mapping[str, Runner], *, output: Path, folder: Path, environ: Mapping[str, str]
) -> Measuring:
    """Runners that measure have an ``interpreter(test)``; it is not part of the protocol that all share."""

    def interpreter(state: TestState) -> str:
        known: Callable[[Test], str] | None = getattr(runners[state.test.runner], "interpreter", None)
        return known(state.test) if known else sys.executable

    return Measuring(output=output, folder=folder, interpreter=interpreter, environ=environ)

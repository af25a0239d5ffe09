"""Runs a pytest file, folder or node id, and judges what came of it."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Judged, Tool, WarmStart
from e2e_orchestrator.model.outcomes import Attachment, CaseStatus, Reason
from e2e_orchestrator.model.plan import CoverageSpec, RunnerSpec, Test
from e2e_orchestrator.parsers.case_stream import ProblemKind, StreamEvidence, read_stream
from e2e_orchestrator.parsers.pytest_report import NoReport, PytestReport, read_report
from e2e_orchestrator.runners.decision import (
    ENDINGS,
    EVERY_SKIPPED,
    Facts,
    Row,
    all_cases,
    always,
    decide,
    files_left,
    gaps,
    nothing_to_add,
    said,
    with_located_attachments,
)
from e2e_orchestrator.runners.django_databases import SlotDatabases
from e2e_orchestrator.runners.programs import Package, environment, find_python

PLUGIN = "e2e_orchestrator_case_stream"
PLUGIN_FOLDER = Path(__file__).parent / "shims" / "pytest_path"
REPORT = "report.json"
STACKS = "stacks.txt"
COVERAGE = "coverage.data"

_INTERRUPTED, _INTERNAL_ERROR, _USAGE_ERROR, _NO_TESTS = 2, 3, 4, 5


class PytestRunner:
    """``python -m pytest`` with our case stream and pytest-json-report: two witnesses beside the exit status.

    The project's own ``addopts``, configuration and plugins stay as they are.
    """

    def __init__(self, spec: RunnerSpec) -> None:
        self._spec = spec
        self._databases = SlotDatabases(spec)

    def command(self, test: Test, spec: AttemptSpec) -> Command:
        env, seen = dict(test.env), environment(test.env)
        # Omitting comes first: the option takes every word up to the next option.
        report = (
            *("-p", "pytest_jsonreport", "--json-report-omit", "streams", "log", "keywords"),
            *("--json-report", f"--json-report-file={spec.folder / REPORT}"),
        )
        python = find_python(self._spec, test, env=seen)
        argv = (
            *(python, *self._measured(spec), "-m", "pytest", "-p", PLUGIN),
            *(report if self._spec.json_report else ()),
            *(test.target, *test.args),
        )
        slot = self._databases.claim(test, spec, python=python)
        path = os.pathsep.join(filter(None, [str(PLUGIN_FOLDER), seen.get("PYTHONPATH")]))
        warm = WarmStart(
            mode=self._spec.warm,
            alike=(str(self._spec.json_report), *_told(seen), *self._measuring(seen), *test.args),
            target=Path(test.cwd) / test.target.partition("::")[0],
            coverage=self._coverage,
        )
        return Command(argv=argv, cwd=Path(test.cwd), env={**env, "PYTHONPATH": path, **slot}, warm=warm)

    def closing(self, *, run_id: str, folder: Path) -> tuple[Command, ...]:
        return self._databases.closing(run_id=run_id, folder=folder)

    def judge(self, test: Test, spec: AttemptSpec, completed: Completed) -> Judged:
        stream = read_stream(completed.events)
        report = read_report(completed.folder / REPORT) if self._spec.json_report else None
        known = report if isinstance(report, PytestReport) else None
        facts = PytestFacts(
            tool="pytest",
            completed=completed,
            stream=stream,
            report=report,
            interpreter=lambda: self.interpreter(test),
            cases=all_cases(
                stream,
                reported=known.cases if known else {},
                also_collected=known.collected if known and not stream.collected else (),
                running=_running(completed, stream),
            ),
        )
        left = {REPORT: ("report", "application/json"), STACKS: ("stacks", "text/plain")}
        return Judged(
            verdict=decide(TABLE, facts),
            cases=with_located_attachments(facts.cases, spec=spec),
            attachments=(*files_left(left, spec=spec), *self._data_left(spec)),
        )

    def interpreter(self, test: Test) -> str:
        """The python that runs a test. Raises InfrastructureError if it is not there."""
        return find_python(self._spec, test, env=environment(test.env))

    def tools(self, test: Test) -> Iterator[Tool]:
        python = self.interpreter(test)
        yield Tool(name=python)
        yield _PYTEST.tool(test, python=python)
        if self._spec.json_report:
            yield _JSON_REPORT.tool(test, python=python)
        if self._coverage:
            yield _COVERAGE.tool(test, python=python)

    @property
    def _coverage(self) -> CoverageSpec | None:
        """What coverage.py measures, if it is asked to."""
        asked = self._spec.coverage
        return asked if asked and asked.source else None

    def _measured(self, spec: AttemptSpec) -> tuple[str, ...]:
        """The words before ``-m pytest`` that measure it, with data of this attempt alone."""
        asked = self._coverage
        if asked is None:
            return ()
        branch = ("--branch",) if asked.branch else ()
        data = f"--data-file={spec.folder / COVERAGE}"
        return ("-m", "coverage", "run", *branch, f"--source={','.join(asked.source)}", data)

    def _measuring(self, seen: Mapping[str, str]) -> tuple[str, ...]:
        """What decides which modules are measured, and so which may be imported ahead."""
        asked = self._coverage
        return (f"{asked.source} {asked.branch} {seen.get('COVERAGE_RCFILE')}",) if asked else ()

    def _data_left(self, spec: AttemptSpec) -> tuple[Attachment, ...]:
        """Also those of its own processes, if the project's configuration measures them."""
        names = sorted(path.name for path in spec.folder.glob(f"{COVERAGE}*"))
        left = dict.fromkeys(names, ("coverage-data", "application/vnd.sqlite3"))
        return files_left(left, spec=spec) if self._spec.coverage else ()


def _told(seen: Mapping[str, str]) -> Iterator[str]:
    """Arguments and plugins that pytest takes from the environment."""
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        if value := seen.get(name):
            yield f"{name}={value}"


def _running(completed: Completed, stream: StreamEvidence) -> CaseStatus:
    """What became of cases that were begun and never finished."""
    if completed.limit is not None:
        return CaseStatus.TIMEOUT
    ended_early = stream.of_kind(ProblemKind.INTERRUPTED, ProblemKind.INTERNAL_ERROR)
    if stream.finished is not None and not ended_early:
        return CaseStatus.NOT_RUN  # With xdist and -x: another case failed, and this one was given up.
    return CaseStatus.ERROR


@dataclass(frozen=True, kw_only=True)
class PytestFacts(Facts):
    """``report`` is None where none was asked for: then the stream alone stands beside the exit status.

    ``interpreter`` looks for the python of the test, which only messages name.
    """

    report: PytestReport | NoReport | None
    interpreter: Callable[[], str]

    @property
    def no_report(self) -> str | None:
        return self.report.why if isinstance(self.report, NoReport) else None

    @property
    def collection_errors(self) -> list[str]:
        live = [problem.message for problem in self.stream.of_kind(ProblemKind.COLLECTION_ERROR)]
        return live or (list(self.report.errors) if isinstance(self.report, PytestReport) else [])

    @property
    def left_out(self) -> str | None:
        """Why there is nothing to run although there are tests."""
        skips = [problem.message for problem in self.stream.of_kind(ProblemKind.COLLECTION_SKIPPED)]
        if skips:
            return "\n".join(skips)
        count = self.stream.finished.deselected if self.stream.finished else 0
        return f"every case was deselected ({count})" if count else None

    @property
    def unproven(self) -> str | None:
        """What keeps an exit status of 0 from being believed."""
        return next(_doubts(self), None)


def _doubts(facts: PytestFacts) -> Iterator[str]:
    end, report = facts.stream.finished, facts.report
    lacking: list[str] = []
    if not facts.told:
        yield f"the plugin {PLUGIN} left no case stream"
    if end is None:
        yield f"the session never finished: it ended {facts.where}"
    elif end.exit_status != 0:
        yield f"the case stream announced exit status {end.exit_status}"
    if isinstance(report, NoReport):
        yield f"the report {report.why}"
    elif report is not None and report.exit_status != 0:
        yield f"the report announced exit status {report.exit_status}"
    else:
        proven = set(facts.stream.cases)
        if report is not None:
            proven &= report.cases.keys() | report.incomplete
        lacking = [one.id for one in facts.cases if one.id not in proven or one.status is CaseStatus.NOT_RUN]
    yield from gaps(facts, lacking)


_PYTEST = Package(name="pytest", module="pytest", install=("pytest", "pytest-json-report"))
_JSON_REPORT = Package(
    name="pytest-json-report",
    module="pytest_jsonreport",
    install=("pytest-json-report",),
    otherwise=", or say `json_report: false` at the runner to do without <test>.json",
)
_COVERAGE = Package(name="coverage.py", module="coverage", install=("coverage",))


def _lacks(package: Package, facts: PytestFacts) -> str:
    python = facts.interpreter()
    return f"{package.missing(python)}\nhint: {package.hint(python)}{facts.tail}"


def _usage(facts: PytestFacts) -> str:
    if "pytest_jsonreport" in facts.tail or "--json-report" in facts.tail:
        return _lacks(_JSON_REPORT, facts)
    return f"pytest refused its arguments, configuration or plugins{facts.printed}"


# The first row that fits decides.
TABLE: tuple[Row[PytestFacts], ...] = (
    *ENDINGS,
    Row(
        "exit 1 without a stream: there is no pytest in the interpreter",
        lambda f: f.exit == 1 and not f.told and "No module named pytest" in f.tail.replace("'", ""),
        Reason.INFRASTRUCTURE,
        lambda f: _lacks(_PYTEST, f),
    ),
    Row(
        "exit 1 without a stream: there is no coverage.py in the interpreter",
        lambda f: f.exit == 1 and not f.told and "No module named coverage" in f.tail.replace("'", ""),
        Reason.INFRASTRUCTURE,
        lambda f: _lacks(_COVERAGE, f),
    ),
    Row(
        "exit 4 without a case: arguments, configuration, plugins or a conftest were refused",
        lambda f: f.exit == _USAGE_ERROR and not f.cases,
        Reason.USAGE_ERROR,
        _usage,
    ),
    Row(
        "the stream tells of an internal error",
        lambda f: f.stream.of_kind(ProblemKind.INTERNAL_ERROR),
        Reason.CRASH,
        lambda f: f"internal error in pytest or a plugin\n{said(f, ProblemKind.INTERNAL_ERROR)}",
    ),
    Row(
        "a file could not be collected",
        lambda f: f.collection_errors,
        Reason.COLLECTION_ERROR,
        lambda f: "\n\n".join(f.collection_errors),
    ),
    Row(
        "the session was interrupted from inside",
        lambda f: f.stream.of_kind(ProblemKind.INTERRUPTED),
        Reason.CRASH,
        lambda f: f"the session was interrupted {f.where}: {said(f, ProblemKind.INTERRUPTED)}{f.so_far}",
    ),
    Row(
        "not exit 0, and the stream has no end: `os._exit`, a watchdog thread",
        lambda f: f.exit != 0 and f.stream.finished is None and (f.told or not f.cases),
        Reason.CRASH,
        lambda f: f"pytest ended with exit status {f.exit} {f.where}, without finishing{f.so_far}{f.tail}",
    ),
    Row(
        "a case failed",
        lambda f: f.bad and (f.stream.finished or not f.stream.running),
        Reason.TEST_FAILURES,
        nothing_to_add,
    ),
    Row(
        "exit 5, and everything was skipped or deselected",
        lambda f: f.exit == _NO_TESTS and f.left_out,
        Reason.ALL_SKIPPED,
        lambda f: f.left_out,
    ),
    Row(
        "exit 5 without a case",
        lambda f: f.exit == _NO_TESTS and not f.cases,
        Reason.NO_TESTS,
        lambda f: f"pytest found no test{f.tail}",
    ),
    Row(
        "not exit 0, and the only objection is a flaky case",
        lambda f: f.exit != 0 and f.flaky,
        Reason.TEST_FAILURES,
        lambda f: f"there are flaky cases, and the suite does not allow them (exit status {f.exit})",
    ),
    Row(
        "exit 2, 3, 4, 5 or above, and no case is to blame",
        lambda f: f.exit > _NO_TESTS or f.exit in (_INTERRUPTED, _INTERNAL_ERROR, _USAGE_ERROR, _NO_TESTS),
        Reason.CRASH,
        lambda f: (
            f"pytest ended with exit status {f.exit}, and no case is to blame: a plugin or an exit handler{f.tail}"
        ),
    ),
    Row(
        "not exit 0, no case failed, and the report is missing or unreadable",
        lambda f: f.exit != 0 and f.no_report,
        Reason.EVIDENCE_MISSING,
        lambda f: (
            f"pytest ended with exit status {f.exit}, no case is to blame, and the report {f.no_report}{f.tail}"
        ),
    ),
    Row(
        "not exit 0, and no case failed",
        lambda f: f.exit != 0,
        Reason.TEST_FAILURES,
        lambda f: f"pytest ended with exit status {f.exit}, but names no case that failed{f.tail}",
    ),
    Row(
        "exit 0, but stream and report do not both prove every case",
        lambda f: f.unproven,
        Reason.EVIDENCE_MISSING,
        lambda f: f"exit status 0, but {f.unproven}{f.so_far}",
    ),
    Row(
        "exit 0 without a case",
        lambda f: not f.cases,
        Reason.NO_TESTS,
        lambda _: "exit status 0, but no test was collected",
    ),
    EVERY_SKIPPED,
    Row("a case passed only on a rerun of its own", lambda f: f.flaky, Reason.FLAKY, nothing_to_add),
    Row("everything else", always, None, nothing_to_add),
)

"""Runs a label of ``manage.py test`` in a Django project that knows nothing of it, and judges what came of it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Judged, Tool
from e2e_orchestrator.model.outcomes import CaseStatus, Reason
from e2e_orchestrator.model.plan import RunnerSpec, Test
from e2e_orchestrator.parsers.case_stream import ProblemKind, read_stream
from e2e_orchestrator.runners.decision import (
    ENDINGS,
    EVERY_SKIPPED,
    Facts,
    Row,
    all_cases,
    always,
    decide,
    gaps,
    nothing_to_add,
    said,
    with_located_attachments,
)
from e2e_orchestrator.runners.django_databases import MANAGE, SlotDatabases
from e2e_orchestrator.runners.programs import Package, environment, find_python

MANAGE_PY = "manage.py"
_LABEL = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_DJANGO = Package(name="Django", module="django", install=("django",))
_NO_DJANGO = re.compile(r"No module named '?django'?\b|Couldn't import Django")


class DjangoRunner:
    """``python manage.py test LABEL`` with our case stream beside the exit status.

    The project's settings, its TEST_RUNNER and its manage.py stay as they are. A target is one label or
    several: an app, a module, a class, a method, or a folder.
    """

    def __init__(self, spec: RunnerSpec) -> None:
        self._spec = spec
        self._databases = SlotDatabases(spec)

    def command(self, test: Test, spec: AttemptSpec) -> Command:
        cwd, python = Path(test.cwd), self._interpreter(test)
        labels = spec.only if spec.only and all(map(_LABEL.fullmatch, spec.only)) else test.target.split()
        keeping = ("--keepdb",) if self._spec.keepdb and "--keepdb" not in test.args else ()
        argv = (python, str(MANAGE), MANAGE_PY, "test", *labels, "--noinput", *keeping, *test.args)
        slot = self._databases.claim(test, spec, python=python)
        return Command(argv=argv, cwd=cwd, env={**test.env, **slot})

    def judge(self, test: Test, spec: AttemptSpec, completed: Completed) -> Judged:
        stream = read_stream(completed.events)
        running = CaseStatus.ERROR if completed.limit is None else CaseStatus.TIMEOUT
        facts = DjangoFacts(
            tool="manage.py test",
            completed=completed,
            stream=stream,
            cases=all_cases(stream, reported={}, running=running),
            interpreter=lambda: find_python(self._spec, test, env=environment(test.env)),
        )
        return Judged(
            verdict=decide(TABLE, facts),
            cases=with_located_attachments(facts.cases, spec=spec),
            attachments=(),
        )

    def tools(self, test: Test) -> Iterator[Tool]:
        python = self._interpreter(test)
        yield Tool(name=python)
        yield _DJANGO.tool(test, python=python)

    def _interpreter(self, test: Test) -> str:
        """Raises InfrastructureError if there is none, or no project that it could run."""
        if not (Path(test.cwd) / MANAGE_PY).is_file():
            raise InfrastructureError(
                f"test {test.id}: there is no {MANAGE_PY} in {test.cwd}",
                hint=f"set runners.{self._spec.name}.cwd to the folder of the project's {MANAGE_PY}",
            )
        return find_python(self._spec, test, env=environment(test.env))

    def closing(self, *, run_id: str, folder: Path) -> tuple[Command, ...]:
        return self._databases.closing(run_id=run_id, folder=folder)


@dataclass(frozen=True, kw_only=True)
class DjangoFacts(Facts):
    """``interpreter`` looks for the python of the test, which only messages name."""

    interpreter: Callable[[], str]

    @property
    def beginning(self) -> str:
        return "before its first case"

    @property
    def unproven(self) -> str | None:
        """What keeps an exit status of 0 from being believed."""
        return next(_doubts(self), None)


def _doubts(facts: DjangoFacts) -> Iterator[str]:
    end = facts.stream.finished
    if not facts.told:
        yield "what we put around manage.py left no case stream"
    if end is None:
        yield f"the session never finished: it ended {facts.where}"
    elif end.exit_status != 0:
        yield f"the case stream announced exit status {end.exit_status}"
    yield from gaps(facts, [*facts.stream.running, *(case.id for case in facts.not_run)])


def _no_django(facts: DjangoFacts) -> str:
    python = facts.interpreter()
    return f"{_DJANGO.missing(python)}\nhint: {_DJANGO.hint(python)}{facts.tail}"


# The first row that fits decides.
TABLE: tuple[Row[DjangoFacts], ...] = (
    *ENDINGS,
    Row(
        "not exit 0 without a case, and there is no Django in the interpreter",
        lambda f: f.exit != 0 and not f.cases and _NO_DJANGO.search(f.tail),
        Reason.INFRASTRUCTURE,
        _no_django,
    ),
    Row(
        "a test database could not be made",
        lambda f: f.stream.of_kind(ProblemKind.ERROR),
        Reason.INFRASTRUCTURE,
        lambda f: f"{said(f, ProblemKind.ERROR)}{f.tail}",
    ),
    Row(
        "a module could not be loaded",
        lambda f: f.stream.of_kind(ProblemKind.COLLECTION_ERROR),
        Reason.COLLECTION_ERROR,
        lambda f: said(f, ProblemKind.COLLECTION_ERROR),
    ),
    Row(
        "the session was stopped from inside",
        lambda f: f.stream.of_kind(ProblemKind.INTERRUPTED),
        Reason.CRASH,
        lambda f: f"the session was stopped {f.where}: {said(f, ProblemKind.INTERRUPTED)}{f.so_far}",
    ),
    Row(
        "not exit 0, and the stream has no end: `os._exit`, a watchdog thread",
        lambda f: f.exit != 0 and f.stream.finished is None,
        Reason.CRASH,
        lambda f: f"manage.py ended with exit status {f.exit} {f.where}, without finishing{f.so_far}{f.tail}",
    ),
    Row(
        "not exit 0 before any case was collected: arguments, settings or apps were refused",
        lambda f: f.exit != 0 and not f.cases,
        Reason.USAGE_ERROR,
        lambda f: f"manage.py refused its arguments, settings or apps (exit status {f.exit}){f.tail}",
    ),
    Row(
        "an error outside of any case",
        lambda f: f.stream.of_kind(ProblemKind.INTERNAL_ERROR),
        Reason.CRASH,
        lambda f: f"manage.py ended with an error of its own\n{said(f, ProblemKind.INTERNAL_ERROR)}",
    ),
    Row("a case failed", lambda f: f.bad and not f.stream.running, Reason.TEST_FAILURES, nothing_to_add),
    Row(
        "exit 2 or above, and no case is to blame",
        lambda f: f.exit > 1,
        Reason.CRASH,
        lambda f: f"manage.py ended with exit status {f.exit}, and no case is to blame{f.tail}",
    ),
    Row(
        "exit 1, and no case failed",
        lambda f: f.exit != 0,
        Reason.TEST_FAILURES,
        lambda f: f"manage.py ended with exit status {f.exit}, but names no case that failed{f.tail}",
    ),
    Row(
        "exit 0, but the stream does not prove every case",
        lambda f: f.unproven,
        Reason.EVIDENCE_MISSING,
        lambda f: f"exit status 0, but {f.unproven}{f.so_far}",
    ),
    Row(
        "exit 0 without a case",
        lambda f: not f.cases,
        Reason.NO_TESTS,
        lambda _: "exit status 0, but the labels hold no test",
    ),
    EVERY_SKIPPED,
    Row("everything else", always, None, nothing_to_add),
)

"""Runs any program, and judges it by its exit status and whatever else it tells of itself.

A program may append to the case stream (``E2E_EVENTS``) or leave ``junit.xml`` in ``E2E_OUTPUT_DIR``. One
that does neither is a single case, named after the test: its exit status is all the evidence it has.
"""

import os
import shlex
from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Judged, Tool
from e2e_orchestrator.model.outcomes import Case, CaseStatus, Reason
from e2e_orchestrator.model.plan import RunnerSpec, Test
from e2e_orchestrator.parsers.case_stream import ProblemKind, read_stream
from e2e_orchestrator.parsers.junit import BadJUnit, JUnitReport, read_junit
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
from e2e_orchestrator.runners.programs import find_program

JUNIT = "junit.xml"
_OUTPUT_DIR = "{output_dir}"
_SHELL_NOT_FOUND, _SHELL_NOT_EXECUTABLE = 127, 126
_FAULTS = (
    ProblemKind.ERROR,
    ProblemKind.COLLECTION_ERROR,
    ProblemKind.INTERNAL_ERROR,
    ProblemKind.INTERRUPTED,
)


class CommandRunner:
    """The target is a command line, split like a shell does but without a shell.

    ``{output_dir}`` in it or in ``args`` becomes the attempt's folder, for tools that take the place of
    their report as an argument.
    """

    # Without a file there is nothing to read: a thread, for what might take long, would cost more than the word.
    judges_nothing_at_once = True

    def __init__(self, spec: RunnerSpec) -> None:
        """All that a command needs stands in the plan."""

    def command(self, test: Test, spec: AttemptSpec) -> Command:
        program, *words = self._words(test)
        argv = (program, *(word.replace(_OUTPUT_DIR, str(spec.folder)) for word in words))
        return Command(argv=argv, cwd=Path(test.cwd), env=dict(test.env))

    def tools(self, test: Test) -> Iterator[Tool]:
        yield Tool(name=self._words(test)[0])

    def _words(self, test: Test) -> list[str]:
        """The first is the program's absolute path. Raises InfrastructureError if there is none."""
        cwd = Path(test.cwd)
        try:
            words = [*shlex.split(test.target), *test.args]
        except ValueError as error:
            raise InfrastructureError(
                f"test {test.id}: the command line {test.target!r} cannot be split: {error}",
                hint="close the quotes, or wrap the line in: sh -c '…'",
            ) from None
        if not words:
            raise InfrastructureError(f"test {test.id}: its target is an empty command line")
        program = find_program(words[0], cwd=cwd, env=ChainMap(dict(test.env), os.environ))
        if program is None:
            raise InfrastructureError(
                f"test {test.id}: there is no program {words[0]!r} (looked on the PATH and from {cwd})",
                hint="install it, make it executable with chmod +x, or correct the target",
            )
        return [program, *words[1:]]

    def judge(self, test: Test, spec: AttemptSpec, completed: Completed) -> Judged:
        stream, junit = read_stream(completed.events), read_junit(completed.folder / JUNIT)
        running = CaseStatus.ERROR if completed.limit is None else CaseStatus.TIMEOUT
        reported = {case.id: case for case in junit.cases} if isinstance(junit, JUnitReport) else {}
        facts = CommandFacts(
            tool="the program",
            completed=completed,
            stream=stream,
            cases=all_cases(stream, reported=reported, running=running),
            junit=junit,
        )
        verdict = decide(TABLE, facts)
        cases = facts.cases
        if facts.silent and completed.start_error is None:
            cases = (_only_case(test, facts, message=verdict.message),)
            verdict = replace(verdict, message=None) if verdict.reason is Reason.TEST_FAILURES else verdict
        return Judged(
            verdict=verdict,
            cases=with_located_attachments(cases, spec=spec),
            attachments=files_left({JUNIT: ("junit", "application/xml")}, spec=spec),
        )


def _only_case(test: Test, facts: "CommandFacts", *, message: str | None) -> Case:
    """The program itself, as the one case it is."""
    if facts.completed.limit is not None:
        status = CaseStatus.TIMEOUT
    elif facts.exit < 0 or facts.completed.interrupted is not None:
        status = CaseStatus.ERROR
    else:
        status = CaseStatus.PASSED if facts.exit == 0 else CaseStatus.FAILED
    return Case(id=test.name, status=status, duration=facts.completed.duration, message=message)


@dataclass(frozen=True, kw_only=True)
class CommandFacts(Facts):
    junit: JUnitReport | BadJUnit | None

    @property
    def silent(self) -> bool:
        """It left nothing but its exit status."""
        return not self.stream.spoken and self.junit is None

    @property
    def beginning(self) -> str:
        return "before its first case"

    @property
    def where(self) -> str:
        return "while it was running" if self.silent else super().where

    @property
    def faults(self) -> str:
        return said(self, *_FAULTS)

    @property
    def unproven(self) -> str | None:
        return next(_doubts(self), None)


def _doubts(facts: CommandFacts) -> Iterator[str]:
    end = facts.stream.finished
    if isinstance(facts.junit, BadJUnit):
        yield f"the JUnit file {facts.junit.why}"
    if isinstance(facts.junit, JUnitReport) and facts.junit.claimed_failures:
        yield f"the JUnit file claims {facts.junit.claimed_failures} failures without naming a case"
    if facts.stream.started is not None and end is None:
        yield f"the case stream has no end: {facts.where}"
    if end is not None and end.exit_status not in (None, 0):
        yield f"the case stream announced exit status {end.exit_status}"
    yield from gaps(facts, [*facts.stream.running, *(case.id for case in facts.not_run)])


# The first row that fits decides.
TABLE: tuple[Row[CommandFacts], ...] = (
    *ENDINGS,
    Row(
        "the stream or the JUnit file tells of an error outside of any case",
        lambda f: f.faults,
        Reason.CRASH,
        lambda f: f"{f.faults}{f.so_far}",
    ),
    Row(
        "a case failed",
        lambda f: f.bad and not f.stream.running,
        Reason.TEST_FAILURES,
        nothing_to_add,
    ),
    Row(
        "exit 126 or 127 without a case: a shell found no program",
        lambda f: f.exit in (_SHELL_NOT_FOUND, _SHELL_NOT_EXECUTABLE) and not f.cases,
        Reason.INFRASTRUCTURE,
        lambda f: f"exit status {f.exit}: a shell could not start a program that the test needs{f.tail}",
    ),
    Row(
        "not exit 0, and a case was running",
        lambda f: f.exit != 0 and f.stream.running,
        Reason.CRASH,
        lambda f: f"the program ended with exit status {f.exit} {f.where}{f.so_far}{f.tail}",
    ),
    Row(
        "not exit 0",
        lambda f: f.exit != 0,
        Reason.TEST_FAILURES,
        lambda f: f"the program ended with exit status {f.exit}{f.tail}",
    ),
    Row(
        "exit 0, but what it reported is incomplete or unreadable",
        lambda f: f.unproven,
        Reason.EVIDENCE_MISSING,
        lambda f: f"exit status 0, but {f.unproven}{f.so_far}",
    ),
    Row(
        "exit 0, and it reported nothing: the program is its own case",
        lambda f: f.silent,
        None,
        nothing_to_add,
    ),
    Row(
        "exit 0, and it reported not a single case",
        lambda f: not f.cases,
        Reason.NO_TESTS,
        lambda _: "exit status 0, but it reports not a single case",
    ),
    EVERY_SKIPPED,
    Row("a case passed only on a retry of its own", lambda f: f.flaky, Reason.FLAKY, nothing_to_add),
    Row("everything else", always, None, nothing_to_add),
)

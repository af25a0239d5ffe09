"""A run as a flat list of results, as every format of other tools wants it: one entry for each case, and more.

More, because whoever reads such a file must not see green where there is none: what fails without a case to
blame (a collection error, a service, a gate, a run that was cut short) is an entry of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from e2e_orchestrator.model.outcomes import Attachment, Attempt, Case, CaseStatus, Reason, Status
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.reporters.paths import line_of
from e2e_orchestrator.reporters.unfinished import Ending, end_of_test

RUN = "e2e-orchestrator"


class Result(StrEnum):
    """What every format can say of an entry; ``raw`` has the finer word."""

    PASSED = "passed"
    FLAKY = "flaky"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


RESULT_OF: Mapping[CaseStatus, Result] = {
    CaseStatus.PASSED: Result.PASSED,
    CaseStatus.XPASSED: Result.PASSED,
    CaseStatus.FLAKY: Result.FLAKY,
    CaseStatus.FAILED: Result.FAILED,
    CaseStatus.ERROR: Result.ERROR,
    CaseStatus.TIMEOUT: Result.ERROR,
    CaseStatus.SKIPPED: Result.SKIPPED,
    CaseStatus.XFAILED: Result.SKIPPED,
    CaseStatus.NOT_RUN: Result.SKIPPED,
}
# A test that ended for one of these has more to say than its cases.
_ABOVE_CASES = frozenset(
    {
        Reason.COLLECTION_ERROR,
        Reason.USAGE_ERROR,
        Reason.EVIDENCE_MISSING,
        Reason.INFRASTRUCTURE,
        Reason.INTERRUPTED,
    }
)
_EVIDENCE = frozenset({"report", "stacks", "coverage-data"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """What one attempt made of an entry; ``duration`` in seconds."""

    number: int
    result: Result
    raw: str
    duration: float
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One result. ``suite`` is the phase, ``group`` the test, ``name`` unique within both.

    ``tries`` has every attempt that tried it, in order; ``own`` is true if no case of the suite stands
    behind it. Paths of ``attachments`` and ``output`` are relative to the output folder.
    """

    suite: str
    group: str
    name: str
    result: Result
    raw: str
    duration: float = 0.0
    message: str | None = None
    file: str | None = None
    line: int | None = None
    tries: tuple[Try, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    output: str | None = None
    tail: str = ""
    test: TestState | None = None
    own: bool = False

    @property
    def bad(self) -> bool:
        return self.result in (Result.FAILED, Result.ERROR)

    @property
    def failed_tries(self) -> tuple[Try, ...]:
        return tuple(one for one in self.tries if one.result in (Result.FAILED, Result.ERROR, Result.FLAKY))


def entries_of_phase(phase: PhaseState, *, run: RunState) -> Iterator[Entry]:
    for test in phase.tests:
        yield from entries_of_test(test, run=run)


def entries_of_test(test: TestState, *, run: RunState) -> Iterator[Entry]:
    """Its cases, and itself where they do not tell what became of it."""
    ending, tries = end_of_test(test, run=run), _tries(test)
    told = [_case_entry(case, test=test, ending=ending, tries=tries) for case in test.cases]
    own = not told
    if ending.status is Status.FAILED:
        own = ending.reason in _ABOVE_CASES or not any(one.bad for one in told)
    elif ending.reason is Reason.FLAKY:
        own = not any(one.result is Result.FLAKY for one in told)
    if own:
        told.append(_own_entry(test, ending=ending))
    yield from _with_files(told, test=test)


def entries_of_run(run: RunState) -> Iterator[Entry]:
    """What belongs to no test: services that failed, gates, and a run that was cut short."""
    for service in run.services.values():
        if service.status == "failed":
            told = _run_entry("services", service.name, raw="infrastructure", message=service.message)
            yield replace(told, output=service.log)
    for gate in run.gates:
        told = _run_entry("gates", f"gate {gate.name}", raw="gate", message=gate.message)
        yield replace(told, result=Result.PASSED if gate.holds else Result.FAILED)
    if run.finished is None:
        yield _run_entry("run", "the run did not finish", raw="incomplete", message=run.cancelled)
    elif not run.finished.success and not _shown_elsewhere(run):
        yield _run_entry("run", "verdict", raw="run", message=run.finished.why)


def _shown_elsewhere(run: RunState) -> bool:
    """Whether some other entry is bad already."""
    gates = any(not gate.holds for gate in run.gates)
    services = any(service.status == "failed" for service in run.services.values())
    tests = any(one.bad for test in run.tests for one in entries_of_test(test, run=run))
    return gates or services or tests


def _run_entry(group: str, name: str, *, raw: str, message: str | None) -> Entry:
    return Entry(suite=RUN, group=group, name=name, result=Result.ERROR, raw=raw, message=message, own=True)


def _case_entry(case: Case, *, test: TestState, ending: Ending, tries: Mapping[str, Sequence[Try]]) -> Entry:
    result = RESULT_OF[case.status]
    message = case.message or (ending.message if case.bad else None)
    if case.status is CaseStatus.NOT_RUN:
        message = message or f"not run: {ending.message or ending.reason or 'nobody got to it'}"
    return Entry(
        suite=test.test.phase,
        group=test.test.name,
        name=case.id,
        result=result,
        raw=case.status.value,
        duration=case.duration,
        message=message,
        file=case.file,
        line=line_of(case),
        tries=tuple(tries.get(case.id, ())),
        attachments=case.attachments,
        test=test,
    )


def _tries(test: TestState) -> Mapping[str, Sequence[Try]]:
    """What each attempt made of each case, by case."""
    found: dict[str, list[Try]] = {}
    for attempt in test.attempts:
        for case in attempt.cases:
            if case.status is not CaseStatus.NOT_RUN:
                one = Try(
                    number=attempt.number,
                    result=RESULT_OF[case.status],
                    raw=case.status.value,
                    duration=case.duration,
                    message=case.message,
                )
                found.setdefault(case.id, []).append(one)
    return found


_OWN_RESULTS: Mapping[Status, Result] = {
    Status.PASSED: Result.PASSED,
    Status.FAILED: Result.ERROR,
    Status.SKIPPED: Result.SKIPPED,
}


def _own_entry(test: TestState, *, ending: Ending) -> Entry:
    """Cut short is no reason to look green: what was cancelled is an error, what was blocked is not."""
    result = _OWN_RESULTS.get(ending.status, Result.ERROR)
    if ending.reason is Reason.FLAKY:
        result = Result.FLAKY
    elif ending.reason is Reason.CANCELLED:
        result = Result.ERROR
    elif ending.reason is Reason.TEST_FAILURES:
        result = Result.FAILED
    return Entry(
        suite=test.test.phase,
        group=test.test.name,
        name=test.test.name,
        result=result,
        raw=str(ending.reason or ending.status),
        duration=ending.duration,
        message=ending.message or test.error or (test.first_error if result is Result.FLAKY else None),
        tries=tuple(_own_try(attempt) for attempt in test.attempts),
        test=test,
        own=True,
    )


def _own_try(attempt: Attempt) -> Try:
    verdict = attempt.verdict
    result = Result.FAILED if verdict.reason is Reason.TEST_FAILURES else _OWN_RESULTS.get(verdict.status)
    bad = next((case.message for case in attempt.cases if case.bad and case.message), None)
    return Try(
        number=attempt.number,
        result=result or Result.ERROR,
        raw=str(verdict.reason or verdict.status),
        duration=attempt.duration,
        message=verdict.message or bad,
    )


def _with_files(told: list[Entry], *, test: TestState) -> Iterator[Entry]:
    """What an attempt left behind goes to what went wrong in it, else to the first entry of the test."""
    left = tuple(one for attempt in test.attempts for one in attempt.attachments)
    printed = next((one.output for one in reversed(test.attempts) if one.output), None)
    odd = next((at for at, one in enumerate(told) if one.bad or one.result is Result.FLAKY), None)
    if odd is None:  # Our own evidence of a test that passed is of no interest.
        left, odd = tuple(one for one in left if one.name not in _EVIDENCE), 0
    for at, one in enumerate(told):
        if at != odd:
            yield one
            continue
        yield replace(
            one,
            attachments=(*one.attachments, *left),
            output=printed.path if printed else None,
            tail=printed.tail if printed and one.own and one.bad else "",
        )

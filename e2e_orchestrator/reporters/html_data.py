"""What the HTML report knows of a run, as one JSON tree: small, because the page loads all of it at once.

Times are whole milliseconds since the run's beginning, statuses of cases one letter each. ``web/src/data/wire.ts``
describes the same tree for the page.
"""

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from e2e_orchestrator.model.outcomes import Attempt, Case, CaseStatus, Reason
from e2e_orchestrator.model.safeguards import Looked, looked_at
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.reporters.comparison import tests_to_compare
from e2e_orchestrator.reporters.groups import Failure, Group, failures_of, group
from e2e_orchestrator.reporters.html_moments import AttemptSpan, Moments
from e2e_orchestrator.reporters.text import first_line
from e2e_orchestrator.reporters.timing import Span, timing
from e2e_orchestrator.reporters.unfinished import Ending, end_of_phase, end_of_test
from e2e_orchestrator.reporters.wording import last_sentence

WIRE = 1
Json = dict[str, Any]  # A tree of plain JSON values.

LETTERS: Mapping[CaseStatus, str] = {
    CaseStatus.PASSED: "p",
    CaseStatus.FAILED: "f",
    CaseStatus.ERROR: "e",
    CaseStatus.TIMEOUT: "t",
    CaseStatus.SKIPPED: "s",
    CaseStatus.XFAILED: "x",
    CaseStatus.XPASSED: "X",
    CaseStatus.FLAKY: "k",
    CaseStatus.NOT_RUN: "n",
}


def document(run: RunState, moments: Moments) -> Json:
    """Everything but what belongs to a single test's page, which :mod:`html_details` has."""
    finished, sentence, groups = run.finished, last_sentence(run), group(failures_of(run))
    return {
        "wire": WIRE,
        "run_id": run.run_id,
        "project": run.plan.project if run.plan else "",
        "version": run.version,
        "config": run.plan.config if run.plan else "",
        "root": run.plan.root if run.plan else "",
        "started_at": run.started_at,
        "duration": ms(finished.duration if finished else run.mono),
        "end": ms(run.mono),
        "exit_code": finished.exit_code if finished else None,
        "success": finished is not None and finished.success,
        "complete": finished is not None,
        "go": sentence.go,
        "sentence": sentence.text,
        "why": finished.why if finished else "the run did not finish",
        "interrupted": run.cancelled,
        "rerun_of": run.rerun_of,
        "shard": run.shard.name if run.shard else None,
        "merged_from": list(run.merged_from),
        "baseline": _baseline(run),
        "workers": run.plan.workers if run.plan else 1,
        "phases": [_phase(phase, run=run) for phase in run.phases],
        "services": _services(run, moments),
        "gates": [{"gate": one.name, "holds": one.holds, "message": one.message} for one in run.gates],
        "warnings": run.warnings,
        "checked": [_looked(one) for one in looked_at(run.plan.checked)] if run.plan else [],
        "left_out": [{"id": one.id, "why": one.why} for one in run.plan.left_out] if run.plan else [],
        "timing": _timing(run),
        "tests": _tests(run, moments),
        "groups": _groups(groups, run=run),
        "marks": [
            {"at": ms(mark.at), "kind": mark.kind, "text": mark.text, "test": mark.test}
            for mark in moments.marks
        ],
    }


def ms(seconds: float | None) -> int | None:
    """None for what JSON cannot say."""
    return round(seconds * 1000) if seconds is not None and math.isfinite(seconds) else None


def _baseline(run: RunState) -> Json | None:
    """What the page compares with from the start, as it does with a run that is dropped on it."""
    if (found := run.baseline) is None:
        return None
    compared = list(tests_to_compare(run, found))
    numbers = {one.test: at for at, one in enumerate(compared)}
    return {
        "run_id": found.run_id,
        "started_at": found.started_at,
        "exit_code": found.exit_code,
        "tests": [
            [one.test, "flaky" if one.flaky else one.status.value, ms(one.duration)] for one in compared
        ],
        "failures": [
            [numbers[one.test], one.case, one.signature, one.title]
            for one in found.failures
            if one.test in numbers
        ],
    }


def _phase(phase: PhaseState, *, run: RunState) -> Json:
    ending = end_of_phase(phase, run=run)
    return {
        "name": phase.name,
        "description": phase.phase.description,
        "status": ending.status.value,
        "reason": ending.reason,
        "required": phase.required,
        "parallel": phase.phase.parallel,
        "start": ms(phase.started),
        "duration": ms(ending.duration),
    }


def _looked(one: Looked) -> Json:
    return {"target": one.target, "says": one.says, "refused": one.refused, "names": list(one.names)}


def _services(run: RunState, moments: Moments) -> list[Json]:
    told = []
    for service in run.services.values():
        span = moments.services.get(service.name)
        told.append(
            {
                "name": service.name,
                "status": service.status,
                "ready_after": ms(service.ready_after),
                "message": service.message,
                "start": ms(span.start) if span else None,
                "ready": ms(span.ready) if span else None,
                "failed": ms(span.failed) if span else None,
                "end": ms(span.end) if span else None,
                "exit_status": span.exit_status if span else None,
                "log": (span.log if span else None) or service.log,
            }
        )
    return told


def _timing(run: RunState) -> Json:
    told = timing(run)
    return {
        **_span(told.total),
        "slots": told.slots,
        "critical_path": [
            {"phase": end.phase, "test": end.test, "duration": ms(end.duration), "alone": ms(end.alone)}
            for end in told.critical_path
        ],
        "phases": [{"name": name, **_span(span)} for name, span in told.phases.items()],
    }


def _span(span: Span) -> Json:
    return {
        "makespan": ms(span.makespan),
        "lower_bound": ms(span.lower_bound),
        "busy": ms(span.busy),
        "utilisation": round(span.utilisation, 3),
    }


def _tests(run: RunState, moments: Moments) -> list[Json]:
    return [
        _test(test, phase=at, run=run, moments=moments)
        for at, phase in enumerate(run.phases)
        for test in phase.tests
    ]


def _test(state: TestState, *, phase: int, run: RunState, moments: Moments) -> Json:
    ending, test = end_of_test(state, run=run), state.test
    error = _error(state, ending=ending)
    spans = moments.attempts.get(test.id, [])
    return {
        "id": test.id,
        "name": test.name,
        "phase": phase,
        "runner": test.runner,
        "kind": test.kind,
        "target": test.target,
        "cwd": test.cwd,
        "tags": list(test.tags),
        "status": ending.status.value,
        "reason": ending.reason,
        "duration": ms(ending.duration),
        "error": first_line(error) if error else None,
        "carried_from": state.carried_from,
        "reproduce": _reproduce(test.id, run=run),
        "attempts": _attempts(state.attempts, spans, end=run.mono),
        "pauses": [
            {"start": ms(one.start), "number": one.number, "delay": ms(one.delay)}
            for one in moments.pauses.get(test.id, [])
        ],
        **_cases(state.cases),
    }


def _error(state: TestState, *, ending: Ending) -> str | None:
    """What to say in one line: of a flaky test and of failed cases what went wrong first."""
    if ending.reason in (Reason.FLAKY, Reason.TEST_FAILURES):
        return state.first_error or ending.message
    return ending.message or state.error


def _attempts(attempts: Sequence[Attempt], spans: Sequence[AttemptSpan], *, end: float) -> list[Json]:
    """Those that were timed here; of those that an earlier run supplied only what it left."""
    finished = {attempt.number: attempt for attempt in attempts}
    told = []
    for span in spans:
        attempt = finished.pop(span.number, None)
        told.append(
            {
                "number": span.number,
                "slot": span.slot,
                "start": ms(span.start),
                "end": ms(span.end if span.end is not None else end),
                "status": attempt.verdict.status.value if attempt else "failed",
                "reason": attempt.verdict.reason if attempt else "interrupted",
            }
        )
    rest = (_earlier(attempt) for attempt in attempts if attempt.number in finished)
    return sorted([*told, *rest], key=lambda one: one["number"])


def _earlier(attempt: Attempt) -> Json:
    return {
        "number": attempt.number,
        "slot": attempt.slot,
        "start": None,
        "end": None,
        "status": attempt.verdict.status.value,
        "reason": attempt.verdict.reason,
    }


def _cases(cases: Sequence[Case]) -> Json:
    """In columns: 50,000 small objects would cost the page a second."""
    projects = [case.project for case in cases]
    return {
        "ids": [case.id for case in cases],
        "letters": "".join(LETTERS[case.status] for case in cases),
        "took": [ms(case.duration) for case in cases],
        **({"projects": projects} if any(projects) else {}),
    }


def _groups(groups: Sequence[Group], *, run: RunState) -> list[Json]:
    """Failures as pairs of numbers: the test's, and the case's in it (-1 for the test itself)."""
    numbers = {state.test.id: at for at, state in enumerate(run.tests)}
    cases = {
        state.test.id: {case.id: at for at, case in enumerate(state.cases)}
        for state in run.tests
        if state.test.id in {failure.test for one in groups for failure in one.failures}
    }
    return [
        {
            "signature": one.signature,
            "title": one.title,
            "example": one.failures[0].message[:4000],
            "where": _where(one.failures[0]),
            "failures": [
                [numbers[failure.test], cases[failure.test].get(failure.case, -1) if failure.case else -1]
                for failure in one.failures
            ],
        }
        for one in groups
    ]


def _where(failure: Failure) -> str | None:
    return f"{failure.file}:{failure.line}" if failure.file and failure.line else failure.file


def _reproduce(test_id: str, *, run: RunState) -> str:
    """A line for a shell that runs this test alone, as it was configured, once."""
    if run.plan is None:
        return ""
    words = ["e2e-orchestrate", "--config", run.plan.config, f"--test={test_id}", "--retries", "0"]
    return f"cd {shlex.quote(run.plan.root)} && {shlex.join(words)}"

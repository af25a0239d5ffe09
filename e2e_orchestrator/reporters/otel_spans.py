"""A run as the spans of a trace, in OTLP's JSON: run > phase > test > attempt, with OpenTelemetry's names.

https://opentelemetry.io/docs/specs/semconv/cicd/ and https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from e2e_orchestrator.model.events import GateEvaluated
from e2e_orchestrator.model.outcomes import BAD_CASES, Attempt, Case, CaseStatus, Reason, Status
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.model.trace import Trace
from e2e_orchestrator.reporters.ci import place
from e2e_orchestrator.reporters.text import clean, clip, one_line
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test

Json = dict[str, Any]  # A tree of plain JSON values.

_INTERNAL, _SERVER, _ERROR = 1, 2, 2
_NAME, _MESSAGE, _EVENTS = 500, 2_000, 100
_CODES = {0: "success", 5: "error", 130: "cancellation", 143: "cancellation"}
_TASKS = {Status.PASSED: "success", Status.FAILED: "failure", Status.SKIPPED: "skip"}
_SUITES = {Status.PASSED: "success", Status.FAILED: "failure", Status.SKIPPED: "skipped"}
_TOLD = frozenset({*BAD_CASES, CaseStatus.FLAKY})


def spans(run: RunState, *, trace: Trace, began: float, environ: Mapping[str, str]) -> Iterator[Json]:
    """The run's own span first; ``began`` is when its clock stood at 0, in seconds since the epoch."""
    yield _run_span(run, trace=trace, began=began, environ=environ)
    for phase in run.phases:
        yield _phase_span(phase, run=run, trace=trace, began=began)
        for test in phase.tests:
            if test.carried_from is None and test.started is not None:
                yield _test_span(test, run=run, trace=trace, began=began)
                yield from (_attempt_span(one, test=test, trace=trace) for one in test.attempts)


def _run_span(run: RunState, *, trace: Trace, began: float, environ: Mapping[str, str]) -> Json:
    finished, where = run.finished, place(environ)
    project = one_line(run.plan.project if run.plan else "run", limit=_NAME)
    result = _CODES.get(finished.exit_code, "failure") if finished else "error"
    took = finished.duration if finished else run.mono
    attributes = {
        "cicd.pipeline.name": project,
        "cicd.pipeline.action.name": "RUN",
        "cicd.pipeline.run.id": run.run_id,
        "cicd.pipeline.result": result,
        "cicd.pipeline.run.url.full": where.url,
        "vcs.ref.head.name": where.branch,
        "vcs.ref.head.revision": where.commit,
        "error.type": None
        if result == "success"
        else f"exit_code_{finished.exit_code if finished else 'none'}",
        "e2e_orchestrator.exit_code": finished.exit_code if finished else None,
    }
    why = finished.why if finished else "the run did not finish"
    return _span(
        trace,
        name=f"RUN {project}",
        kind=_SERVER,
        times=(began, began + took),
        attributes=attributes,
        events=[_gate_event(gate, at=began + took) for gate in run.gates],
        parent=trace.parent,
        failure=None if result == "success" else why,
    )


def _phase_span(phase: PhaseState, *, run: RunState, trace: Trace, began: float) -> Json:
    ending = end_of_phase(phase, run=run)
    start = began + (phase.started if phase.started is not None else run.mono)
    result = "timeout" if ending.reason is Reason.TIMEOUT else _TASKS.get(ending.status, "error")
    attributes = {
        "cicd.pipeline.task.name": one_line(phase.name, limit=_NAME),
        "cicd.pipeline.task.run.id": f"{run.run_id}/{one_line(phase.name, limit=_NAME)}",
        "cicd.pipeline.task.run.result": result,
        "cicd.pipeline.task.type": "test",
        "e2e_orchestrator.required": phase.required,
    }
    failed = ending.status is Status.FAILED
    return _span(
        trace,
        phase.name,
        name=one_line(phase.name, limit=_NAME),
        times=(start, start + ending.duration),
        attributes=attributes,
        parent=trace.span(),
        failure=str(ending.reason) if failed else None,
    )


def _test_span(test: TestState, *, run: RunState, trace: Trace, began: float) -> Json:
    ending = end_of_test(test, run=run)
    start = began + (test.started or 0.0)
    status = _SUITES.get(ending.status, "aborted")
    attributes = {
        "test.suite.name": one_line(test.test.id, limit=_NAME),
        "test.suite.run.status": "timed_out" if ending.reason is Reason.TIMEOUT else status,
        "e2e_orchestrator.reason": ending.reason.value if ending.reason else None,
        "e2e_orchestrator.flaky": test.verdict.flaky,
        "e2e_orchestrator.attempts": len(test.attempts),
        "e2e_orchestrator.runner": test.test.runner,
    }
    failed = ending.status is Status.FAILED
    return _span(
        trace,
        *(test.test.phase, test.test.id),
        name=one_line(test.test.id, limit=_NAME),
        times=(start, start + ending.duration),
        attributes=attributes,
        parent=trace.span(test.test.phase),
        failure=(test.error or ending.message or "failed") if failed else None,
    )


def _attempt_span(attempt: Attempt, *, test: TestState, trace: Trace) -> Json:
    start, verdict = _epoch(attempt.started_at), attempt.verdict
    end = start + attempt.duration
    counts = [case.status for case in attempt.cases]
    attributes = {
        "test.suite.name": one_line(test.test.id, limit=_NAME),
        "test.suite.run.status": _SUITES.get(verdict.status, "aborted"),
        "cicd.worker.id": str(attempt.slot),
        "e2e_orchestrator.attempt": attempt.number,
        "e2e_orchestrator.reason": verdict.reason.value if verdict.reason else None,
        "e2e_orchestrator.cases": len(counts),
        "process.exit.code": attempt.exit_status,
    }
    told = [case for case in attempt.cases if case.status in _TOLD][:_EVENTS]
    return _span(
        trace,
        *(test.test.phase, test.test.id, str(attempt.number)),
        name=f"{one_line(test.test.id, limit=_NAME)} attempt {attempt.number}",
        times=(start, end),
        attributes=attributes,
        events=[_case_event(case, at=end) for case in told],
        parent=trace.span(test.test.phase, test.test.id),
        failure=(verdict.message or str(verdict.reason)) if verdict.failed else None,
    )


def _gate_event(gate: GateEvaluated, *, at: float) -> Json:
    attributes = {
        "e2e_orchestrator.gate.name": gate.name,
        "e2e_orchestrator.gate.holds": gate.holds,
        "e2e_orchestrator.gate.message": one_line(gate.message, limit=_NAME),
    }
    return _event("gate", at=at, attributes=attributes)


def _case_event(case: Case, *, at: float) -> Json:
    attributes = {
        "test.case.name": one_line(case.id, limit=_NAME),
        "test.case.result.status": "fail" if case.bad else "pass",
        "e2e_orchestrator.case.status": case.status.value,
        "exception.message": clip(clean(case.message or ""), limit=_MESSAGE),
    }
    return _event("test.case", at=at, attributes=attributes)


def _span(  # noqa: PLR0913 - what a span has.
    trace: Trace,
    *path: str,
    name: str,
    times: tuple[float, float],
    attributes: Mapping[str, object],
    parent: str | None,
    kind: int = _INTERNAL,
    events: list[Json] | None = None,
    failure: str | None = None,
) -> Json:
    start, end = times
    return {
        "traceId": trace.id,
        "spanId": trace.span(*path),
        **({"parentSpanId": parent} if parent else {}),
        "name": name or "unnamed",
        "kind": kind,
        "startTimeUnixNano": _nanoseconds(start),
        "endTimeUnixNano": _nanoseconds(max(end, start)),
        "attributes": _attributes(attributes),
        "events": events or [],
        "status": {"code": _ERROR, "message": clip(clean(failure), limit=_MESSAGE)} if failure else {},
    }


def _event(name: str, *, at: float, attributes: Mapping[str, object]) -> Json:
    return {"name": name, "timeUnixNano": _nanoseconds(at), "attributes": _attributes(attributes)}


def _attributes(values: Mapping[str, object]) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value not in (None, "")]


def _value(value: object) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case _:
            return {"stringValue": one_line(str(value), limit=_MESSAGE)}


def _nanoseconds(seconds: float) -> str:
    """As text: JSON's numbers are too small for them. In whole microseconds, so that sums stay exact."""
    return str(max(round(seconds * 1_000_000), 0) * 1_000)


def _epoch(stamp: str) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return 0.0

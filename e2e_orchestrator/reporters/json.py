"""The results of a run as one JSON file, and each pytest test's own report beside it."""

import os
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import SCHEMA, Envelope
from e2e_orchestrator.model.outcomes import Attachment, Attempt, Case, Status
from e2e_orchestrator.model.plan import Shard
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.comparison import Comparison, comparison_of
from e2e_orchestrator.reporters.paths import line_of
from e2e_orchestrator.reporters.report_names import report_names
from e2e_orchestrator.reporters.timing import Span, Timing, timing
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test
from e2e_orchestrator.safety.files import copy_whole, write_where_told, write_whole

RESULTS = "e2e-results.json"

Json = dict[str, Any]  # A tree of plain JSON values.


class JsonReporter:
    """Writes ``e2e-results.json`` once, at the end: into the run's folder and, as the newest, to the output."""

    mandatory = True

    def __init__(self, context: ReporterContext) -> None:
        self._context = context
        self._run = RunState()
        self._timestamp = ""
        self._service_failures: dict[str, events.ServiceFailed] = {}
        self._closed = False

    async def handle(self, envelope: Envelope) -> None:
        self._run.apply(envelope)
        self._timestamp = self._run.started_at or self._timestamp or envelope.at
        if isinstance(envelope.event, events.ServiceFailed):
            self._service_failures[envelope.event.service] = envelope.event

    async def close(self) -> None:
        """Raises OSError if the results cannot be written."""
        if not self._closed:
            self._closed = True
            self._write()

    def _write(self) -> None:
        reports = self._publish_reports()
        data = _encoded(self._results(reports)) + b"\n"
        asked = self._context.path
        write_whole(self._context.run_folder / RESULTS, data)
        if asked is None:
            write_whole(self._context.output / RESULTS, data)
        else:
            write_where_told(asked / RESULTS if asked.is_dir() else asked, data)

    def _publish_reports(self) -> dict[str, str]:
        """Puts the pytest reports at the top of the output folder; the names by test.

        A test without a report loses the file that an earlier run left under its name: it would tell
        of another run.
        """
        published: dict[str, str] = {}
        if self._run.plan is None:
            return published
        for test_id, name in report_names(self._run.plan).items():
            target = self._context.output / name
            source = self._report(self._run.test(test_id))
            if source is None:
                target.unlink(missing_ok=True)
            else:
                copy_whole(source, target)
                published[test_id] = name
        return published

    def _report(self, test: TestState) -> Path | None:
        """The report of the last attempt, unless it lies (or a link leads) outside the output folder."""
        attachments = test.attempts[-1].attachments if test.attempts else ()
        found = next((one for one in attachments if one.name == "report"), None)
        if found is None:
            return None
        try:
            root = self._context.root.resolve()
            source = (root / found.path).resolve()
        except (ValueError, RuntimeError):  # A path with a null byte, links in a circle.
            return None
        readable = source.is_relative_to(root) and source.is_file() and os.access(source, os.R_OK)
        return source if readable else None

    def _results(self, reports: dict[str, str]) -> Json:
        run, finished = self._run, self._run.finished
        endings = [end_of_phase(phase, run=run).status for phase in run.phases]
        return {
            "schema": SCHEMA,
            "run_id": run.run_id or self._context.run_folder.name,
            "timestamp": self._timestamp,
            "success": finished is not None and finished.success,
            "exit_code": finished.exit_code if finished else None,
            "why": finished.why if finished else "the run did not finish",
            "complete": finished is not None,
            "interrupted": run.cancelled,
            "rerun_of": run.rerun_of,
            "shard": _shard(run.shard),
            "merged_from": list(run.merged_from),
            "baseline": _baseline(comparison_of(run)),
            "total_duration": finished.duration if finished else run.mono,
            "total_phases": len(run.phases),
            "passed": endings.count(Status.PASSED),
            "failed": endings.count(Status.FAILED),
            "skipped": endings.count(Status.SKIPPED),
            "project": run.plan.project if run.plan else None,
            "version": run.version or None,
            "run_folder": self._shown_run_folder(),
            "timing": _timing(timing(run)),
            "phases": [_phase(phase, run=run, reports=reports) for phase in run.phases],
            "flaky": [test.test.id for test in run.flaky],
            "services": self._services(),
            "gates": [_gate(one) for one in run.gates],
            "coverage": _coverage(run.coverage),
            "warnings": run.warnings,
            "broken_reporters": run.broken_reporters,
            "checked": [one.told for one in run.plan.checked] if run.plan else [],
            "left_out": [{"id": one.id, "why": one.why} for one in run.plan.left_out] if run.plan else [],
        }

    def _shown_run_folder(self) -> str:
        """Relative to the output folder, as every other path in the file."""
        folder, output = self._context.run_folder, self._context.output
        return folder.relative_to(output).as_posix() if folder.is_relative_to(output) else folder.as_posix()

    def _services(self) -> list[Json]:
        return [
            {
                "name": service.name,
                "status": service.status,
                "ready_after": service.ready_after,
                "message": service.message,
                "restarts": service.restarts,
                "tail": failure.tail if failure else None,
                "log": failure.log if failure and failure.log else service.log,
            }
            for service in self._run.services.values()
            for failure in [self._service_failures.get(service.name)]
        ]


def _baseline(found: Comparison | None) -> Json | None:
    if found is None:
        return None
    return {
        "run_id": found.baseline.run_id,
        "started_at": found.baseline.started_at,
        "exit_code": found.baseline.exit_code,
        "new": found.new,
        "still_failing": found.still,
        "fixed": found.fixed,
        "flaky": found.flaky,
        "not_run": found.not_run,
        "errors": [
            {
                "change": one.change.value,
                "signature": one.signature,
                "title": one.title,
                "before": one.before,
                "now": one.now,
            }
            for one in found.errors
        ],
    }


def _gate(gate: events.GateEvaluated) -> Json:
    return {
        "gate": gate.gate,
        "phase": gate.phase,
        "holds": gate.holds,
        "message": gate.message,
        "found": gate.found,
        "wanted": gate.wanted,
    }


def _coverage(told: events.CoverageMeasured | None) -> Json | None:
    if told is None:
        return None
    return {
        "lines": {"total": told.lines.total, "covered": told.lines.covered},
        "branches": {"total": told.branches.total, "covered": told.branches.covered},
        "files": [_attachment(one) for one in told.files],
        "problem": told.problem,
    }


def _shard(shard: Shard | None) -> Json | None:
    return {"index": shard.index, "count": shard.count, "digest": shard.digest} if shard else None


def _timing(told: Timing) -> Json:
    expected = told.expected
    return {
        **_span(told.total),
        "slots": told.slots,
        "expected": round(expected, 3) if expected is not None else None,
        "critical_path": [
            {
                "phase": end.phase,
                "test": end.test,
                "duration": round(end.duration, 3),
                "alone": round(end.alone, 3),
            }
            for end in told.critical_path
        ],
        "phases": [{"name": name, **_span(span)} for name, span in told.phases.items()],
    }


def _span(span: Span) -> Json:
    return {
        "makespan": round(span.makespan, 3),
        "lower_bound": round(span.lower_bound, 3),
        "busy": round(span.busy, 3),
        "utilisation": round(span.utilisation, 3),
    }


def _phase(phase: PhaseState, *, run: RunState, reports: dict[str, str]) -> Json:
    ending = end_of_phase(phase, run=run)
    return {
        "name": phase.name,
        "status": ending.status.value,
        "reason": ending.reason,
        "required": phase.required,
        "duration": ending.duration,
        "tests": [_test(test, run=run, report=reports.get(test.test.id)) for test in phase.tests],
    }


def _test(state: TestState, *, run: RunState, report: str | None) -> Json:
    ending, test = end_of_test(state, run=run), state.test
    return {
        "name": test.name,
        "status": ending.status.value,
        "reason": ending.reason,
        "duration": ending.duration,
        "error": state.error or ending.message,
        "first_error": state.first_error,
        "target": test.target,
        "runner": test.runner,
        "kind": test.kind,
        "tags": test.tags,
        "report": report,
        "carried_over_from": state.carried_from,
        "attempts": [_attempt(attempt) for attempt in state.attempts],
        "cases": [_case(case) for case in state.cases],
    }


def _attempt(attempt: Attempt) -> Json:
    return {
        "number": attempt.number,
        "status": attempt.verdict.status.value,
        "reason": attempt.verdict.reason,
        "message": attempt.verdict.message,
        "started_at": attempt.started_at,
        "duration": attempt.duration,
        "slot": attempt.slot,
        "exit_status": attempt.exit_status,
        "output": attempt.output.path if attempt.output else None,
        "output_size": attempt.output.size if attempt.output else None,
        "attachments": [_attachment(one) for one in attempt.attachments],
        "services": [
            {"name": one.service, "log": one.log, "begin": one.begin, "end": one.end}
            for one in attempt.services
        ],
        "leaked": [{"pid": leak.pid, "command": leak.command} for leak in attempt.leaked],
    }


def _case(case: Case) -> Json:
    return {
        "id": case.id,
        "status": case.status.value,
        "duration": case.duration,
        "message": case.message,
        "file": case.file,
        "line": line_of(case),
        "project": case.project,
        "attachments": [_attachment(one) for one in case.attachments],
    }


def _attachment(attachment: Attachment) -> Json:
    return {
        "name": attachment.name,
        "path": attachment.path,
        "content_type": attachment.content_type,
        "url": attachment.url,
    }


def _encoded(results: Json) -> bytes:
    """Indented UTF-8; NaN and infinity become null, lone surrogates question marks."""
    try:
        return to_json(results, indent=2, inf_nan_mode="null")
    except ValueError:  # A lone surrogate in a name that a child made up.
        return to_json(_valid(results), indent=2, inf_nan_mode="null")


def _valid(value: Any) -> Any:
    """The same tree with every string made valid UTF-8."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {_valid(key): _valid(one) for key, one in value.items()}
        case list() | tuple():
            return [_valid(one) for one in value]
        case _:
            return value

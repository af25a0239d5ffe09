"""The run as Common Test Report Format: ``ctrf-report.json``, https://ctrf.io."""

import math
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.ci import place
from e2e_orchestrator.reporters.entries import Entry, Result, Try, entries_of_phase, entries_of_run
from e2e_orchestrator.reporters.file_report import FileReport
from e2e_orchestrator.reporters.groups import failures_of, group
from e2e_orchestrator.reporters.paths import evidence, source
from e2e_orchestrator.reporters.text import clean, clip, first_line, one_line

DIALECT = "E2E_ORCHESTRATE_CTRF"
EXTRA = "e2e_orchestrator"

_DIALECTS = ("conservative", "latest")
_INFRASTRUCTURE = 5
_NAME, _MESSAGE, _TRACE, _LINES = 1_000, 500, 65_536, 50
_BIGGEST = 50_000_000
# Neither good nor bad: nobody got to it.
_PENDING = frozenset({"not_run", "cancelled", "blocked"})
_STATUS = {
    Result.PASSED: "passed",
    Result.FLAKY: "passed",
    Result.FAILED: "failed",
    Result.ERROR: "failed",
    Result.SKIPPED: "skipped",
}

Json = dict[str, Any]  # A tree of plain JSON values.


class CtrfReporter(FileReport):
    """Writes only properties that older schemas know too, because strict consumers reject the others."""

    file = "ctrf-report.json"

    def __init__(self, context: ReporterContext) -> None:
        super().__init__(context)
        self._latest = _dialect(context.environ.get(DIALECT, "")) == "latest"

    def render(self) -> bytes:
        for limit in (_TRACE, 4_096, 0):
            data = to_json(self._report(trace=limit), indent=1, inf_nan_mode="null") + b"\n"
            if len(data) <= _BIGGEST:
                break
        return data

    def _report(self, *, trace: int) -> Json:
        run = self.run
        entries = [one for phase in run.phases for one in entries_of_phase(phase, run=run)]
        entries += entries_of_run(run)
        tests = [self._test(entry, trace=trace) for entry in entries]
        return {
            "reportFormat": "CTRF",
            "specVersion": "0.0.0",
            "reportId": _uuid("report", run.run_id),
            **({"runId": run.run_id} if self._latest and run.run_id else {}),
            **({"timestamp": self.timestamp} if self.timestamp else {}),
            "generatedBy": "e2e-orchestrator",
            "results": {
                "tool": {
                    "name": "e2e-orchestrator",
                    **({"version": run.version} if run.version else {}),
                },
                "summary": self._summary(tests),
                "tests": tests,
                "environment": self._environment(),
            },
            "extra": {EXTRA: self._extra()},
        }

    def _summary(self, tests: list[Json]) -> Json:
        finished = self.run.finished
        took = _milliseconds(finished.duration if finished else self.run.mono)
        start = _epoch(self.timestamp)
        statuses = [test["status"] for test in tests]
        return {
            "tests": len(tests),
            **{word: statuses.count(word) for word in ("passed", "failed", "skipped", "pending", "other")},
            "flaky": sum(test.get("flaky", False) for test in tests),
            "suites": len({tuple(test["suite"]) for test in tests}),
            "start": start,
            "stop": start + took,
            "duration": took,
        }

    def _test(self, entry: Entry, *, trace: int) -> Json:
        name = one_line(entry.name, limit=_NAME) or "unnamed"
        attempts = [self._attempt(one, trace=trace) for one in entry.tries]
        told: Json = {
            "id": _uuid(entry.suite, entry.group, entry.name),
            **({"testId": f"{entry.suite}::{entry.group}::{name}"} if self._latest else {}),
            "name": name,
            "status": _status(entry),
            "duration": _milliseconds(entry.duration),
            "rawStatus": "notRun" if entry.raw in _PENDING else entry.raw,
            "suite": [one_line(part, limit=_NAME) or "unnamed" for part in (entry.suite, entry.group)],
            **_said(entry.message, trace=trace),
            **self._place(entry),
        }
        if entry.result is Result.FLAKY:
            told["flaky"] = True
        if len(attempts) > 1:
            told |= {"retries": len(attempts) - 1, "retryAttempts": attempts}
        if entry.tail:
            told["stdout"] = clean(entry.tail).strip("\n").split("\n")[-_LINES:]
        if entry.attachments:
            told["attachments"] = list(self._attachments(entry))
        return told

    def _place(self, entry: Entry) -> Json:
        if entry.test is None:
            return {}
        test = entry.test.test
        told: Json = {"type": "e2e"}
        if test.tags:
            told["tags"] = [one_line(tag, limit=_NAME) for tag in test.tags]
        if entry.file:
            told["filePath"] = source(entry.file, test=test, plan=self.run.plan, environ=self.context.environ)
            told["filePath"] = one_line(told["filePath"], limit=_NAME)
        if entry.line is not None:
            told["line"] = entry.line
        return told

    def _attempt(self, one: Try, *, trace: int) -> Json:
        return {
            "attempt": one.number,
            "status": _STATUS[one.result],
            "duration": _milliseconds(one.duration),
            **_said(one.message, trace=trace),
        }

    def _attachments(self, entry: Entry) -> Iterator[Json]:
        for one in entry.attachments:
            where = one.url or evidence(one.path, context=self.context, plan=self.run.plan)
            path = one_line(where, limit=_NAME)
            yield {
                "name": one_line(one.name, limit=_NAME) or "attachment",
                "contentType": one_line(one.content_type, limit=_NAME) or "application/octet-stream",
                "path": path or "unnamed",
            }

    def _environment(self) -> Json:
        run, where = self.run, place(self.context.environ)
        failed = any(service.status == "failed" for service in run.services.values())
        code = run.finished.exit_code if run.finished else None
        told: Json = {"healthy": not failed and code != _INFRASTRUCTURE}
        if run.plan:
            told["appName"] = one_line(run.plan.project, limit=_NAME)
        if where.branch:
            told["branchName"] = one_line(where.branch, limit=_NAME)
        if where.commit:
            told["commit"] = one_line(where.commit, limit=_NAME)
        if where.url:
            told["buildUrl"] = where.url
        if self._latest and run.shard:
            told["shardId"] = run.shard.name
        return told

    def _extra(self) -> Json:
        """What the format has no word for, under one key of ours."""
        run, finished = self.run, self.run.finished
        return {
            "runId": run.run_id,
            "success": finished is not None and finished.success,
            "exitCode": finished.exit_code if finished else None,
            "why": one_line(finished.why, limit=_NAME) if finished else "the run did not finish",
            "mergedFrom": list(run.merged_from),
            "gates": [
                {"gate": gate.name, "holds": gate.holds, "message": one_line(gate.message, limit=_NAME)}
                for gate in run.gates
            ],
            "groups": [
                {"signature": one.signature, "failures": len(one.failures)}
                for one in group(failures_of(run))[:_LINES]
            ],
        }


def _dialect(word: str) -> str:
    if word and word not in _DIALECTS:
        raise UsageError(
            f"{DIALECT}={word}: no dialect of CTRF", hint=f"write one of: {', '.join(_DIALECTS)}"
        )
    return word or _DIALECTS[0]


def _status(entry: Entry) -> str:
    return "pending" if entry.raw in _PENDING else _STATUS[entry.result]


def _said(message: str | None, *, trace: int) -> Json:
    if not message:
        return {}
    told = {"message": first_line(message, limit=_MESSAGE)}
    return {**told, "trace": clip(clean(message), limit=trace)} if trace else told


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000) if math.isfinite(seconds) and seconds > 0 else 0


def _epoch(stamp: str) -> int:
    try:
        return round(datetime.fromisoformat(stamp).timestamp() * 1000)
    except ValueError:
        return 0


def _uuid(*parts: str) -> str:
    """The same for the same parts, whoever makes the report."""
    known = "\0".join(parts).encode("utf-8", "replace").decode()
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://ctrf.io/e2e-orchestrator/{known}"))

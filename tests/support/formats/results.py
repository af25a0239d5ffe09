"""A JSON Schema of ``e2e-results.json`` as docs/reference/results-json.md describes it: every key, and no other."""

from typing import Any

TEXT = {"type": "string"}
MAYBE = {"type": ["string", "null"]}
NUMBER = {"type": "number", "minimum": 0}
COUNT = {"type": "integer", "minimum": 0}
BOOL = {"type": "boolean"}
TIME = {"type": "string", "format": "date-time"}
STATUS = {"enum": ["passed", "failed", "skipped"]}


def closed(**properties: Any) -> dict[str, Any]:
    """An object with exactly these keys."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def maybe(kind: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [kind, {"type": "null"}]}


def many(kind: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": kind}


REPORT = closed(name=TEXT, path=TEXT, content_type=TEXT)
ATTACHMENT = closed(name=TEXT, path=TEXT, content_type=TEXT, url=MAYBE)
CASE = closed(
    id=TEXT, status={"enum": ["passed", "failed", "error", "timeout", "skipped", "xfailed", "xpassed", "flaky", "not_run"]},
    duration=NUMBER, message=MAYBE, file=MAYBE, line=maybe(COUNT), project=MAYBE, attachments=many(ATTACHMENT),
)  # fmt: skip
ATTEMPT = closed(
    number={"type": "integer", "minimum": 1}, status=STATUS, reason=MAYBE, message=MAYBE, started_at=TIME,
    duration=NUMBER, slot=COUNT, exit_status=maybe({"type": "integer"}), output=MAYBE, output_size=maybe(COUNT),
    attachments=many(ATTACHMENT), services=many(closed(name=TEXT, log=TEXT, begin=COUNT, end=COUNT)),
    leaked=many(closed(pid=COUNT, command=TEXT)),
)  # fmt: skip
TEST = closed(
    name=TEXT, status=STATUS, reason=MAYBE, duration=NUMBER, error=MAYBE, first_error=MAYBE, target=TEXT,
    runner=TEXT, kind=TEXT, tags=many(TEXT), report=MAYBE, carried_over_from=MAYBE, attempts=many(ATTEMPT),
    cases=many(CASE),
)  # fmt: skip
PHASE = closed(
    name=TEXT, status=STATUS, reason=MAYBE, required=BOOL, duration=NUMBER, tests=many(TEST)
)  # fmt: skip
USE = {"makespan": NUMBER, "lower_bound": NUMBER, "busy": NUMBER, "utilisation": {**NUMBER, "maximum": 1}}
TIMING = closed(
    **USE, slots=COUNT, expected=maybe(NUMBER), phases=many(closed(name=TEXT, **USE)),
    critical_path=many(closed(phase=TEXT, test=TEXT, duration=NUMBER, alone=NUMBER)),
)  # fmt: skip
SERVICE = closed(
    name=TEXT, status={"enum": ["ready", "stopped", "failed", "starting"]}, ready_after=maybe(NUMBER),
    message=MAYBE, restarts=COUNT, tail=MAYBE, log=MAYBE,
)  # fmt: skip
GATE = closed(gate=TEXT, phase=MAYBE, holds=BOOL, message=TEXT, found=maybe(NUMBER), wanted=maybe(NUMBER))
COVERED = closed(total=COUNT, covered=COUNT)
ERROR = closed(
    change={"enum": ["new", "still", "fixed", "not run"]}, signature=TEXT, title=TEXT, before=COUNT, now=COUNT
)  # fmt: skip
BASELINE = closed(
    run_id=TEXT, started_at=TIME, exit_code=maybe(COUNT), new=many(TEXT), still_failing=many(TEXT),
    fixed=many(TEXT), flaky=many(TEXT), not_run=many(TEXT), errors=many(ERROR),
)  # fmt: skip
RESULTS = closed(
    schema={"const": 1}, run_id=TEXT, timestamp=TIME, success=BOOL, exit_code=maybe(COUNT), why=TEXT,
    complete=BOOL, interrupted=MAYBE, rerun_of=MAYBE,
    shard=maybe(closed(index=COUNT, count=COUNT, digest=TEXT)), merged_from=many(TEXT),
    total_duration=NUMBER, total_phases=COUNT, passed=COUNT, failed=COUNT, skipped=COUNT, project=MAYBE,
    version=MAYBE, run_folder=TEXT, timing=TIMING, phases=many(PHASE), flaky=many(TEXT),
    services=many(SERVICE), gates=many(GATE), baseline=maybe(BASELINE),
    coverage=maybe(closed(lines=COVERED, branches=COVERED, files=many(REPORT), problem=MAYBE)),
    warnings=many(TEXT), broken_reporters={"type": "object", "additionalProperties": TEXT},
    checked=many(closed(
        what=TEXT, where=TEXT, host=MAYBE, database=MAYBE, user=MAYBE, service=MAYBE, settings=MAYBE,
        allowed=MAYBE, refused=MAYBE, proof=MAYBE,
    )),
    left_out=many(closed(id=TEXT, why=TEXT)),
)  # fmt: skip

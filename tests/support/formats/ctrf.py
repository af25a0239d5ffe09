"""The JSON Schema of CTRF 0.0.0 as of 2025: what strict consumers that are a year old accept."""

from typing import Any

TEXT = {"type": "string"}
FILLED = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
UUID = {"type": "string", "format": "uuid"}
STATUS = {"enum": ["passed", "failed", "skipped", "pending", "other"]}
LINES = {"type": "array", "items": TEXT}


def each(names: str, kind: Any) -> dict[str, Any]:
    return dict.fromkeys(names.split(), kind)


def closed(required: str, /, **properties: Any) -> dict[str, Any]:
    """An object that refuses what it does not know, as the specification asks of consumers."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required.split(),
        "properties": {**properties, "extra": {"type": "object"}},
    }


ATTACHMENT = closed("name contentType path", name=FILLED, contentType=FILLED, path=FILLED)
ATTEMPT = closed(
    "attempt status",
    attempt={"type": "integer", "minimum": 1},
    status=STATUS,
    duration=COUNT,
    message=TEXT,
    trace=TEXT,
    line=COUNT,
    snippet=TEXT,
    stdout=LINES,
    stderr=LINES,
    start=COUNT,
    stop=COUNT,
    attachments={"type": "array", "items": ATTACHMENT},
)
TEST = closed(
    "name status duration",
    id=UUID,
    name=FILLED,
    status=STATUS,
    duration=COUNT,
    start=COUNT,
    stop=COUNT,
    suite={"type": "array", "minItems": 1, "items": FILLED},
    message=TEXT,
    trace=TEXT,
    snippet=TEXT,
    line=COUNT,
    rawStatus=TEXT,
    tags={"type": "array", "items": TEXT},
    type=TEXT,
    filePath=TEXT,
    retries=COUNT,
    retryAttempts={"type": "array", "items": ATTEMPT},
    flaky={"type": "boolean"},
    stdout=LINES,
    stderr=LINES,
    threadId=TEXT,
    browser=TEXT,
    device=TEXT,
    screenshot=TEXT,
    attachments={"type": "array", "items": ATTACHMENT},
    parameters={"type": "object"},
)
SUMMARY = closed(
    "tests passed failed skipped pending other start stop",
    **each("tests passed failed skipped pending other flaky suites start stop duration", COUNT),
)
ENVIRONMENT = closed(
    "",
    **each(
        "reportName appName appVersion buildId buildName buildUrl repositoryName repositoryUrl commit "
        "branchName osPlatform osRelease osVersion testEnvironment",
        TEXT,
    ),
    buildNumber={"type": "integer"},
    healthy={"type": "boolean"},
)
RESULTS = closed(
    "tool summary tests",
    tool=closed("name", name=FILLED, version=TEXT),
    summary=SUMMARY,
    tests={"type": "array", "items": TEST},
    environment=ENVIRONMENT,
)
CONSERVATIVE = closed(
    "reportFormat specVersion results",
    reportFormat={"const": "CTRF"},
    specVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
    reportId=UUID,
    timestamp={"type": "string", "format": "date-time"},
    generatedBy=TEXT,
    results=RESULTS,
)

"""The identity of a run and its parts as a trace, made of what is known before anything starts.

Nobody has to be asked for an id, so a replay sends the same spans, and a child can be told of its parent
although no span was sent yet. https://www.w3.org/TR/trace-context/.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

TRACEPARENT = "TRACEPARENT"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")

_PARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """``id`` is the whole trace's, ``parent`` the span of whoever called, None if nobody said so."""

    id: str
    run_id: str
    parent: str | None = None

    def span(self, *path: str) -> str:
        """The id of the span of a part of the run: no words for the run, then phase, test, attempt's number."""
        return _digest("span", self.run_id, *path)[:16]

    def traceparent(self, *path: str) -> str:
        return f"00-{self.id}-{self.span(*path)}-01"


def trace_of(run_id: str, environ: Mapping[str, str]) -> Trace:
    """The caller's trace if it names one, else one of our own."""
    found = _PARENT.fullmatch(environ.get(TRACEPARENT, "").strip())
    if found and int(found["trace"], 16) and int(found["span"], 16):
        return Trace(id=found["trace"], run_id=run_id, parent=found["span"])
    return Trace(id=_digest("trace", run_id)[:32], run_id=run_id)


def is_traced(environ: Mapping[str, str]) -> bool:
    """Whether anybody is there to look at a trace."""
    return any(environ.get(name) for name in (TRACEPARENT, *ENDPOINTS))


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()

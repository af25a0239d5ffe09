"""The run as a trace, posted to an OpenTelemetry collector when it is over."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import unquote

from e2e_orchestrator.errors import InfrastructureError, NowhereToReport
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.model.trace import ENDPOINTS, trace_of
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.otel_spans import Json, spans
from e2e_orchestrator.reporters.posting import Post, checked_address, is_hurried

HEADERS = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")

_AT_ONCE = 1_000
_DEADLINE = 10.0


class OtelReporter:
    """OTLP over HTTP in JSON, which needs no SDK; what cannot be delivered raises InfrastructureError."""

    def __init__(self, context: ReporterContext) -> None:
        self._post = Post(
            who="the collector",
            url=_endpoint(context.environ),
            headers=_headers(context.environ),
            deadline=_DEADLINE,
        )
        self._environ = context.environ
        self._run = RunState()
        self._began: float | None = None
        self._closed = False

    async def handle(self, envelope: Envelope) -> None:
        self._run.apply(envelope)
        if self._began is None:
            self._began = datetime.fromisoformat(envelope.at).timestamp() - envelope.mono

    async def close(self) -> None:
        if self._closed or self._began is None:
            return
        self._closed = True
        for body in self._bodies(self._began):
            failure = await self._post.send(body, hurried=is_hurried(self._run))
            if failure is not None:
                raise InfrastructureError(f"the trace was not delivered: {failure}")

    def _bodies(self, began: float) -> Iterator[bytes]:
        """As many spans as a collector takes at once."""
        trace = trace_of(self._run.run_id, self._environ)
        told = list(spans(self._run, trace=trace, began=began, environ=self._environ))
        for at in range(0, len(told), _AT_ONCE):
            yield json.dumps(self._request(told[at : at + _AT_ONCE])).encode()

    def _request(self, told: list[Json]) -> Json:
        named = {"service.name": "e2e-orchestrator", "service.version": self._run.version or "unknown"}
        resource = [{"key": key, "value": {"stringValue": value}} for key, value in named.items()]
        scope = {"name": "e2e-orchestrator", "version": self._run.version or "unknown"}
        return {
            "resourceSpans": [
                {"resource": {"attributes": resource}, "scopeSpans": [{"scope": scope, "spans": told}]}
            ]
        }


def _endpoint(environ: Mapping[str, str]) -> str:
    """https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp."""
    traces, base = ENDPOINTS
    if url := environ.get(traces, "").strip():
        return checked_address(url, name=traces, like="http://localhost:4318/v1/traces")
    if url := environ.get(base, "").strip():
        return checked_address(url, name=base, like="http://localhost:4318").rstrip("/") + "/v1/traces"
    raise NowhereToReport("the otel report needs a collector", hint=f"set {base}=http://localhost:4318")


def _headers(environ: Mapping[str, str]) -> dict[str, str]:
    """``key=value,key=value``, percent-encoded."""
    words = next((environ[name] for name in HEADERS if environ.get(name)), "")
    pairs = (word.partition("=") for word in words.split(","))
    return {key.strip(): unquote(value.strip()) for key, equals, value in pairs if equals and key.strip()}

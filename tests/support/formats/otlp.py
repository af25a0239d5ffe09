"""Reads posts of OTLP over HTTP as a collector does: by the protocol's own messages, which refuse what they do not know."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_IDS = ("traceId", "spanId", "parentSpanId")


def check_otlp(bodies: Sequence[bytes]) -> dict[str, Any]:
    """The spans by their names; they are one tree, in one trace, and none ends before it begins."""
    spans = [
        span
        for body in bodies
        for resource in _decoded(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans), "every span has an id of its own"
    assert {len(span.span_id) for span in spans} == {8}
    assert {len(span.trace_id) for span in spans} == {16}
    assert len({span.trace_id for span in spans}) == 1
    assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    [root] = [span for span in spans if span.parent_span_id not in by_id]
    assert root.name.startswith("RUN ")
    return {span.name: span for span in spans}


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def _decoded(body: bytes) -> Any:
    """OTLP's JSON has ids in hexadecimal, where the mapping of protobuf would have base64."""
    return json_format.ParseDict(_with_base64(json.loads(body)), ExportTraceServiceRequest())


def _with_base64(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: base64.b64encode(bytes.fromhex(one)).decode() if key in _IDS else _with_base64(one)
                for key, one in value.items()
            }
        case list():
            return [_with_base64(one) for one in value]
        case _:
            return value

"""The run as a trace: the tree of its spans, their names and results, and who is whose parent."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import stories
from support.formats.otlp import check_otlp
from support.project import Project
from support.receiving import Inbox
from support.stories import many_cases

from e2e_orchestrator.errors import InfrastructureError, UsageError
from e2e_orchestrator.model.trace import trace_of
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.otel import OtelReporter

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(Inbox):
    @property
    def requests(self) -> list[tuple[str, dict[str, str], Any]]:
        return [(one.path, one.headers, json.loads(one.body)) for one in self.received]

    @property
    def spans(self) -> dict[str, dict[str, Any]]:
        """By name, attributes as plain values; and a collector has taken them."""
        check_otlp([one.body for one in self.received])
        found = {}
        for _, _, body in self.requests:
            for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
                values = {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
                found[span["name"]] = {**span, "attributes": values}
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def send(collector: Collector, story: Any, **environ: str) -> dict[str, dict[str, Any]]:
    context = ReporterContext(
        output=Path("out"),
        run_folder=Path("out/r"),
        environ={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "NO_PROXY": "*", **environ},
    )

    async def run() -> None:
        reporter = OtelReporter(context)
        for envelope in story():
            await reporter.handle(envelope)
        await reporter.close()

    asyncio.run(run())
    return collector.spans


def test_the_spans_are_a_tree_of_run_phase_test_and_attempt(collector: Collector) -> None:
    spans = send(collector, stories.red)
    by_id = {span["spanId"]: span for span in spans.values()}
    assert len(by_id) == len(spans), "every span has an id of its own"

    def up(name: str) -> list[str]:
        found, span = [], spans[name]
        while parent := by_id.get(span.get("parentSpanId")):
            found.append(parent["name"])
            span = parent
        return found

    assert up("backend_smoke/login attempt 2") == [
        "backend_smoke/login",
        "backend_smoke",
        "RUN streamer-studio",
    ]
    assert {span["traceId"] for span in spans.values()} == {trace_of(stories.RUN_ID, {}).id}
    assert all(int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) for span in spans.values())
    assert spans["RUN streamer-studio"]["startTimeUnixNano"] == "1772366400000000000"


def test_results_have_the_words_of_the_conventions(collector: Collector) -> None:
    spans = send(collector, stories.red, GITHUB_SHA="0123", GITHUB_REF_NAME="main")
    run = spans["RUN streamer-studio"]
    assert run["kind"] == 2
    assert run["status"]["code"] == 2
    assert run["attributes"] == {
        "cicd.pipeline.name": "streamer-studio",
        "cicd.pipeline.action.name": "RUN",
        "cicd.pipeline.run.id": stories.RUN_ID,
        "cicd.pipeline.result": "failure",
        "vcs.ref.head.name": "main",
        "vcs.ref.head.revision": "0123",
        "error.type": "exit_code_1",
        "e2e_orchestrator.exit_code": "1",
    }
    assert spans["health"]["attributes"]["cicd.pipeline.task.run.result"] == "success"
    assert spans["frontend"]["attributes"]["cicd.pipeline.task.run.result"] == "skip"
    assert spans["backend_smoke/login"]["attributes"]["test.suite.run.status"] == "failure"
    (first, *_) = spans["backend_smoke/login attempt 1"]["events"]
    told = {one["key"]: one["value"]["stringValue"] for one in first["attributes"]}
    assert told["test.case.name"] == "tests/test_login.py::test_wrong_password"
    assert told["test.case.result.status"] == "fail"


def test_it_continues_the_trace_of_whoever_called(collector: Collector) -> None:
    run = send(collector, stories.green, TRACEPARENT=PARENT)["RUN streamer-studio"]
    assert (run["traceId"], run["parentSpanId"]) == tuple(PARENT.split("-")[1:3])
    assert run["status"] == {}


@pytest.mark.parametrize("parent", ["", "nonsense", f"00-{'0' * 32}-{'0' * 16}-01", PARENT[:-4]])
def test_a_parent_that_is_none_starts_a_trace_of_its_own(parent: str) -> None:
    assert trace_of("r", {"TRACEPARENT": parent}) == trace_of("r", {})


def test_many_spans_come_in_several_requests(collector: Collector) -> None:
    send(collector, lambda: many_cases(2_000, tests=1_000))
    assert [path for path, _, _ in collector.requests] == ["/v1/traces"] * 3
    assert len(collector.spans) == 2_002


def test_headers_are_those_that_opentelemetry_names(collector: Collector) -> None:
    send(collector, stories.green, OTEL_EXPORTER_OTLP_HEADERS="x-key=a%20b, x-team = web")
    ((_, headers, _),) = collector.requests
    assert (headers["x-key"], headers["x-team"]) == ("a b", "web")


def test_a_collector_that_refuses_is_said(collector: Collector) -> None:
    collector.status = 400
    with pytest.raises(InfrastructureError, match="the collector answered 400"):
        send(collector, stories.green)


def test_without_a_collector_it_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="needs a collector"):
        OtelReporter(ReporterContext(output=Path("o"), run_folder=Path("o/r"), environ={}))


@pytest.mark.slow
def test_a_test_is_told_that_its_attempt_is_the_parent(project: Project, collector: Collector) -> None:
    project.write({"t.sh": "echo $TRACEPARENT >seen; [ $E2E_ATTEMPT = 2 ]\n"})
    project.commands({"t": "sh t.sh"}, retries={"max": 1, "delay": 0})
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "NO_PROXY": "*", "TRACEPARENT": PARENT}
    run = project.run("--report", "console,json,otel", env=env)
    assert run.exit_code == 0, run.stdout
    _, trace, span, _ = (project.root / "seen").read_text().strip().split("-")
    attempt = collector.spans["p/t attempt 2"]
    assert (attempt["traceId"], attempt["spanId"]) == (trace, span)
    assert trace == PARENT.split("-")[1]

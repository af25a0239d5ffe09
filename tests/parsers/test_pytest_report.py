"""What a report of pytest-json-report says, and what it only seems to say."""

import json
from pathlib import Path
from typing import Any

import pytest

from e2e_orchestrator.model.outcomes import CaseStatus
from e2e_orchestrator.parsers.pytest_report import NoReport, PytestReport, read_report


def stage(outcome: str = "passed", **fields: Any) -> dict[str, Any]:
    return {"outcome": outcome, "duration": 0.5, **fields}


def item(outcome: str, **stages: Any) -> dict[str, Any]:
    return {"nodeid": "t.py::test_a", "lineno": 4, "outcome": outcome, **stages}


def report(tmp_path: Path, **raw: Any) -> PytestReport:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"exitcode": 0, "tests": [], "summary": {}, **raw}))
    found = read_report(path)
    assert isinstance(found, PytestReport)
    return found


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            item("passed", setup=stage(), call=stage(), teardown=stage()), "passed", id="three good stages"
        ),
        pytest.param(
            item("failed", setup=stage(), call=stage("failed"), teardown=stage()), "failed", id="call"
        ),
        pytest.param(
            item("error", setup=stage(), call=stage("failed"), teardown=stage("failed")),
            "failed",
            id="call and teardown",
        ),
        pytest.param(item("error", setup=stage("failed"), teardown=stage()), "error", id="set-up"),
        pytest.param(
            item("error", setup=stage(), call=stage(), teardown=stage("failed")), "error", id="teardown"
        ),
        pytest.param(
            {**item("failed", setup=stage()), "???": stage("failed")}, "error", id="a worker that died"
        ),
        pytest.param(
            item("failed", setup=stage(), call=stage(), teardown=stage()),
            "failed",
            id="a subtest without a stage",
        ),
        pytest.param(item("skipped", setup=stage("skipped"), teardown=stage()), "skipped", id="skip"),
        pytest.param(
            item("xfailed", setup=stage(), call=stage("skipped"), teardown=stage()), "xfailed", id="xfail"
        ),
        pytest.param(item("xpassed", setup=stage(), call=stage(), teardown=stage()), "xpassed", id="xpass"),
        pytest.param(item("rerun", setup=stage(), call=stage(), teardown=stage()), "flaky", id="rerun"),
        pytest.param(item("retried", setup=stage(), call=stage(), teardown=stage()), "flaky", id="retried"),
        pytest.param(
            item("subtests passed", setup=stage(), call=stage(), teardown=stage()),
            "passed",
            id="a word of its own",
        ),
    ],
)
def test_the_stages_decide(tmp_path: Path, raw: dict[str, Any], expected: str) -> None:
    (case,) = report(tmp_path, tests=[raw]).cases.values()
    assert case.status is CaseStatus(expected)
    assert (case.id, case.line) == ("t.py::test_a", 5)


@pytest.mark.parametrize(("stages", "shared"), [("setup", True), ("teardown", True), ("call", False)])
def test_whose_set_up_or_teardown_failed_the_report_cannot_tell(
    tmp_path: Path, stages: str, shared: bool
) -> None:
    raw = {"setup": stage(), "call": stage(), "teardown": stage(), stages: stage("failed")}
    (case,) = report(tmp_path, tests=[item("error", **raw)]).cases.values()
    assert (case.bad, case.shared_failure) == (True, shared)


def test_a_case_without_its_teardown_was_interrupted_though_it_says_passed(tmp_path: Path) -> None:
    found = report(tmp_path, tests=[item("passed", setup=stage())])
    assert not found.cases
    assert found.incomplete == {"t.py::test_a"}


def test_both_messages_of_a_case_that_broke_twice_are_kept(tmp_path: Path) -> None:
    raw = item(
        "error",
        setup=stage(),
        call=stage("failed", longrepr="CALL"),
        teardown=stage("failed", longrepr="TEARDOWN"),
    )
    (case,) = report(tmp_path, tests=[raw]).cases.values()
    assert case.message == "CALL\n\nTEARDOWN"


def test_collectors_tell_errors_and_names(tmp_path: Path) -> None:
    collectors = [
        {"nodeid": "a.py", "outcome": "failed", "longrepr": "SyntaxError", "result": []},
        {"nodeid": "b.py", "outcome": "skipped", "longrepr": "another system", "result": []},
        {
            "nodeid": "c.py",
            "outcome": "passed",
            "result": [
                {"nodeid": "c.py::test_a", "type": "Function", "lineno": 1},
                {"nodeid": "c.py::test_b", "type": "Function", "lineno": 2, "deselected": True},
                {"nodeid": "c.py::Class", "type": "Class"},
            ],
        },
    ]
    found = report(tmp_path, collectors=collectors)
    assert (found.errors, found.collected) == (("SyntaxError",), ("c.py::test_a",))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "was not written", id="missing"),
        pytest.param(b"", "cut off or no JSON", id="empty"),
        pytest.param(b'{"exitcode": 0, "tests": [', "cut off or no JSON", id="cut off"),
        pytest.param(b'{"tests": \xff', "cut off or no JSON", id="no UTF-8"),
        pytest.param(b"[" * 100_000, "cut off or no JSON", id="nested without end"),
        pytest.param(b"[]", "not a report", id="another JSON"),
        pytest.param(b'{"summary": {}}', "not a report", id="without tests"),
    ],
)
def test_what_is_no_report_says_why(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_bytes(content)
    found = read_report(path)
    assert isinstance(found, NoReport)
    assert why in found.why


def test_a_report_too_big_to_read_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with path.open("wb") as file:
        file.truncate(300 << 20)
    found = read_report(path)
    assert isinstance(found, NoReport)
    assert "300 MB" in found.why


@pytest.mark.parametrize(
    "raw", [3, {}, {"nodeid": 3}, {"nodeid": "a", "call": 3}, {"nodeid": "a", "call": {"outcome": []}}]
)
def test_items_of_a_wrong_shape_are_no_passes(tmp_path: Path, raw: object) -> None:
    assert not report(tmp_path, tests=[raw]).cases

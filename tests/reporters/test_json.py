"""The results file, and the pytest reports beside it."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support import stories
from support.stories import RUN_ID

from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.outcomes import Case, CaseStatus
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.json import JsonReporter
from e2e_orchestrator.reporters.report_names import report_names

Results = dict[str, Any]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "test-results"


def report(output: Path, envelopes: Sequence[Envelope], *, path: Path | None = None) -> Results:
    context = ReporterContext(output=output, run_folder=output / "runs" / RUN_ID, path=path)

    async def run() -> None:
        reporter = JsonReporter(context)
        for envelope in envelopes:
            await reporter.handle(envelope)
        await reporter.close()

    asyncio.run(run())
    results: Results = json.loads((context.run_folder / "e2e-results.json").read_bytes())
    return results


def leave_reports(output: Path, envelopes: Sequence[Envelope]) -> None:
    """Puts a file wherever an attempt of the story says that it left its report."""
    for envelope in envelopes:
        attempt = getattr(envelope.event, "attempt", None)
        for attachment in getattr(attempt, "attachments", ()):
            path = output / attachment.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"report": attachment.path}))


def test_a_green_run_has_the_documented_shape(output: Path) -> None:
    results = report(output, stories.green())
    head = {key: value for key, value in results.items() if key not in ("phases", "timing")}
    assert head == {
        "schema": 1,
        "run_id": RUN_ID,
        "timestamp": "2026-03-01T12:00:00+00:00",
        "success": True,
        "exit_code": 0,
        "why": "every required phase passed",
        "complete": True,
        "interrupted": None,
        "rerun_of": None,
        "shard": None,
        "merged_from": [],
        "baseline": None,
        "total_duration": pytest.approx(10.3),
        "total_phases": 4,
        "passed": 4,
        "failed": 0,
        "skipped": 0,
        "project": "streamer-studio",
        "version": "0.1.0",
        "run_folder": f"runs/{RUN_ID}",
        "flaky": [],
        "services": [
            {
                "name": name,
                "status": "stopped",
                "ready_after": after,
                "message": None,
                "restarts": 0,
                "tail": None,
                "log": f"runs/{RUN_ID}/services/{name}.log",
            }
            for name, after in (("redis", 0.3), ("api", 1.2))
        ],
        "warnings": [],
        "broken_reporters": {},
        "gates": [],
        "checked": [],
        "coverage": None,
        "left_out": [{"id": "visual/pixels", "why": "not selected by --tag smoke"}],
    }


def test_a_failed_test_tells_its_attempts_and_cases(output: Path) -> None:
    phase = report(output, stories.red())["phases"][1]
    login = phase["tests"][0]
    assert (phase["name"], phase["status"], phase["reason"]) == ("backend_smoke", "failed", "test_failures")
    assert (login["status"], login["reason"], login["error"]) == (
        "failed",
        "test_failures",
        "exit status 1: 2 of 5 cases failed",
    )
    assert login["first_error"] == stories.ASSERTION
    assert [one["number"] for one in login["attempts"]] == [1, 2]
    assert login["attempts"][1]["output"] == f"runs/{RUN_ID}/backend_smoke/login/attempt-2/output.log"
    assert login["cases"][3] == {
        "id": "tests/test_login.py::test_wrong_password",
        "status": "failed",
        "duration": 0.4,
        "message": stories.ASSERTION,
        "file": "tests/test_login.py",
        "line": 14,
        "project": None,
        "attachments": [
            {"name": "screenshot", "path": "runs/x/shot.png", "content_type": "image/png", "url": None}
        ],
    }
    assert phase["tests"][1]["attempts"][0]["leaked"] == [{"pid": 4242, "command": "chromium --headless"}]


def test_phases_are_counted_by_their_status(output: Path) -> None:
    results = report(output, stories.red())
    assert [results[key] for key in ("total_phases", "passed", "failed", "skipped")] == [4, 1, 1, 2]
    assert (results["success"], results["exit_code"]) == (False, 1)


def test_flaky_tests_are_listed(output: Path) -> None:
    results = report(output, stories.flaky())
    assert results["flaky"] == ["backend_smoke/login"]
    assert results["phases"][1]["tests"][0]["first_error"] == stories.ASSERTION


def test_a_rerun_says_what_it_carried_over_and_from_where(output: Path) -> None:
    results = report(output, stories.rerun())
    assert results["rerun_of"] == RUN_ID
    origins = {
        test["name"]: test["carried_over_from"] for phase in results["phases"] for test in phase["tests"]
    }
    assert origins["api_health"] == origins["artwork_upload_and_moderation"] == RUN_ID
    assert origins["login"] is None
    artwork = results["phases"][1]["tests"][2]
    assert [one["number"] for one in artwork["attempts"]] == [1], "with its evidence"
    assert len(artwork["cases"]) == 3
    assert (results["success"], results["passed"]) == (True, 4)


def test_an_interrupted_run_says_why(output: Path) -> None:
    assert report(output, stories.interrupted())["interrupted"] == "SIGINT"


def test_a_failed_service_tells_its_message_and_the_end_of_its_log(output: Path) -> None:
    (service,) = report(output, stories.service_failed())["services"]
    assert (service["status"], service["message"]) == (
        "failed",
        "ended with exit status 1 before it was ready",
    )
    assert "Address already in use" in service["tail"]


def test_without_an_end_every_test_still_has_a_named_state(output: Path) -> None:
    results = report(output, stories.our_crash())
    states = {
        test["name"]: (test["status"], test["reason"])
        for phase in results["phases"]
        for test in phase["tests"]
    }
    assert states["api_health"] == ("passed", None)
    assert states["login"] == ("failed", "interrupted")
    assert states["tips"] == states["speed"] == ("skipped", "cancelled")
    assert [(phase["status"], phase["reason"]) for phase in results["phases"]] == [
        ("passed", None),
        ("failed", "interrupted"),
        ("skipped", "cancelled"),
        ("skipped", "cancelled"),
    ]
    assert (results["success"], results["exit_code"], results["complete"]) == (False, None, False)


@pytest.mark.parametrize("end", range(len(stories.red())))
def test_wherever_a_run_is_cut_it_is_no_success_and_nothing_is_open(output: Path, end: int) -> None:
    results = report(output, stories.red()[:end])
    assert results["success"] is False
    for phase in results["phases"]:
        assert phase["status"] in ("passed", "failed", "skipped")
        assert all(test["status"] in ("passed", "failed", "skipped") for test in phase["tests"])


def test_a_run_that_never_started_still_has_results(output: Path) -> None:
    results = report(output, stories.never_started())
    assert (results["run_id"], results["exit_code"], results["phases"]) == (RUN_ID, 6, [])
    assert results["timestamp"] == "2026-03-01T12:00:00Z"


def test_the_newest_results_are_a_copy(output: Path) -> None:
    report(output, stories.green())
    copy = (output / "e2e-results.json").read_bytes()
    assert copy == (output / "runs" / RUN_ID / "e2e-results.json").read_bytes()


def test_a_path_moves_the_copy(output: Path, tmp_path: Path) -> None:
    report(output, stories.green(), path=tmp_path / "elsewhere" / "r.json")
    assert (tmp_path / "elsewhere" / "r.json").is_file()
    assert not (output / "e2e-results.json").exists()


def test_a_path_that_is_a_folder_gets_the_file_in_it(output: Path, tmp_path: Path) -> None:
    report(output, stories.green(), path=tmp_path)
    assert (tmp_path / "e2e-results.json").is_file()


def test_pytest_reports_stand_at_the_top_under_the_test_s_name(output: Path) -> None:
    leave_reports(output, stories.red())
    results = report(output, stories.red())
    last = json.loads((output / "login.json").read_bytes())
    assert last == {"report": f"runs/{RUN_ID}/backend_smoke/login/attempt-2/report.json"}
    assert results["phases"][1]["tests"][0]["report"] == "login.json"
    assert not (output / "pages.json").exists(), "Playwright has a report of its own kind"


def test_a_test_without_a_report_loses_that_of_an_earlier_run(output: Path) -> None:
    output.mkdir()
    (output / "speed.json").write_text('{"report": "of another run"}')
    results = report(output, stories.red())
    assert not (output / "speed.json").exists()
    assert results["phases"][3]["tests"][0]["report"] is None


def test_a_report_that_leads_out_of_the_output_folder_is_not_copied(output: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("secret")
    leave_reports(output, stories.green())
    link = output / f"runs/{RUN_ID}/backend_smoke/login/attempt-1/report.json"
    link.unlink()
    link.symlink_to(tmp_path / "secret.json")
    report(output, stories.green())
    assert not (output / "login.json").exists()
    assert (output / "tips.json").exists()


def test_links_in_a_circle_are_no_report(output: Path) -> None:
    link = output / f"runs/{RUN_ID}/backend_smoke/login/attempt-1/report.json"
    link.parent.mkdir(parents=True)
    link.symlink_to(link)
    assert report(output, stories.green())["phases"][1]["tests"][0]["report"] is None


def test_names_are_a_matter_of_the_plan() -> None:
    tests = [
        stories.a_test("one", "login"),
        stories.a_test("two", "login"),
        stories.a_test("two", "LOGIN"),
        stories.a_test("two", "other"),
        stories.a_test("two", "pages", kind="playwright"),
        stories.a_test("two", "e2e-results"),
        stories.a_test("two", "../../etc/passwd"),
        stories.a_test("two", "..."),
        stories.a_test("two", "x" * 300),
        stories.a_test("two", "größe"),
    ]
    names = report_names(stories.a_plan(stories.a_phase("all", *tests)))
    assert names["one/login"] == "one.login.json"
    assert names["two/login"].startswith("two.login-")
    assert names["two/LOGIN"].startswith("two.LOGIN-")
    assert names["two/other"] == "other.json"
    assert "two/pages" not in names
    assert names["two/e2e-results"] == "two.e2e-results.json"
    assert names["two/../../etc/passwd"] == "_.._etc_passwd.json"
    assert names["two/..."] == "test.json"
    assert names["two/größe"] == "größe.json"
    assert len(names[f"two/{'x' * 300}"]) < 160
    assert len({name.casefold() for name in names.values()}) == len(names)


def test_two_phases_with_the_same_test_name_both_get_the_phase(output: Path) -> None:
    leave_reports(output, stories.same_names())
    results = report(output, stories.same_names())
    names = [test["report"] for phase in results["phases"] for test in phase["tests"]]
    assert names[0] == "one.login.json"
    assert names[3] == "other.json"
    assert len(set(names)) == 4


def test_lone_surrogates_do_not_stop_the_writing(output: Path) -> None:
    story = stories.Story().start(stories.a_plan(stories.a_phase("backend_smoke", stories.LOGIN)))
    case = Case(id="a\udc80b", status=CaseStatus.PASSED, duration=float("nan"))
    story.attempt(stories.LOGIN, cases=[case], live=False).end_test(stories.LOGIN)
    results = report(output, story.end())
    (told,) = results["phases"][0]["tests"][0]["cases"]
    assert (told["id"], told["duration"]) == ("a?b", None)


@pytest.mark.slow
def test_fifty_thousand_cases_take_less_than_two_seconds(output: Path) -> None:
    envelopes = stories.many_cases()
    before = time.process_time()
    results = report(output, envelopes)
    assert time.process_time() - before < 2.0
    assert sum(len(test["cases"]) for phase in results["phases"] for test in phase["tests"]) == 50_000

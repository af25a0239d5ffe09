"""Whole runs of small projects, seen from outside."""

import json
import os
import signal
import socket
import sys

import pytest
from support.project import Project, processes, wait_until

from e2e_orchestrator.model.events import RunFinished, RunStarted, TestFinished, Warned


def test_a_green_run_of_commands_has_exit_code_0_and_all_of_its_files(project: Project) -> None:
    run = project.commands({"one": "true", "two": "echo hello"}).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert run.ends == {"p/one": "passed", "p/two": "passed"}
    assert run.last_line == {**run.last_line, "exit_code": 0, "success": True, "tests": 2, "passed": 2}
    assert (run.folder / "p" / "two" / "attempt-1" / "output.log").read_text() == "hello\n"
    assert "GO: 2 tests passed" in run.stdout
    assert processes(str(project.root)) == []


def test_a_phase_may_have_the_name_of_anything_that_a_run_leaves(project: Project) -> None:
    reports = ("--report", "console,json,junit,html")
    left = {path.name for path in project.commands({"t": "true"}).run(*reports).folder.iterdir()} - {"p"}
    assert left > {"run.lock", "journal.jsonl", "junit.xml", "e2e-report.html"}
    names = sorted(left | {"packs", "services", "replay", "coverage", "shards"})
    run = project.phases([{"name": name, "tests": {"t": "true"}} for name in names], kind="command").run(
        *reports
    )
    assert run.ends == {f"{name}/t": "passed" for name in names}
    assert not [name for name in names if (run.folder / name).is_dir()]


def test_the_result_file_has_the_shape_of_the_contract(project: Project) -> None:
    project.write({"test_a.py": "def test_x(): pass\n"}).phases([{"name": "p", "tests": {"a": "test_a.py"}}])
    run = project.run()
    results = run.results
    assert results["schema"] == 1
    assert results["run_id"] == run.last_line["run_id"]
    assert (results["success"], results["exit_code"], results["total_phases"]) == (True, 0, 1)
    assert (results["passed"], results["failed"], results["skipped"]) == (1, 0, 0)
    [phase] = results["phases"]
    assert {**phase, "tests": None} == {
        **phase, "name": "p", "status": "passed", "reason": None, "required": True, "tests": None,
    }  # fmt: skip
    [test] = phase["tests"]
    assert (test["name"], test["status"], test["reason"], test["error"]) == ("a", "passed", None, None)
    assert (test["target"], test["runner"]) == ("test_a.py", "r")
    [attempt] = test["attempts"]
    assert (attempt["number"], attempt["status"], attempt["exit_status"]) == (1, "passed", 0)
    assert (run.output / attempt["output"]).is_file()
    [case] = test["cases"]
    assert (case["id"], case["status"], case["message"], case["line"]) == (
        "test_a.py::test_x",
        "passed",
        None,
        1,
    )
    assert json.loads((run.output / "a.json").read_text())["summary"]["passed"] == 1


def test_the_journal_announces_every_test_and_has_no_holes(project: Project) -> None:
    run = project.commands({"one": "true", "two": "false"}).run()
    journal = run.journal
    assert [one.seq for one in journal] == list(range(1, len(journal) + 1))
    first, last = journal[0].event, journal[-1].event
    assert isinstance(first, RunStarted)
    assert {test.id for test in first.plan.tests} == {
        one.event.test for one in journal if isinstance(one.event, TestFinished)
    }
    assert isinstance(last, RunFinished)
    assert last.exit_code == run.exit_code == 1


def test_phases_run_in_file_order_whatever_order_they_are_named_in(project: Project) -> None:
    project.phases(
        [{"name": name, "tests": {"t": "echo $E2E_PHASE >> order; true"}} for name in "abc"], kind="command"
    )
    project.write({"say.sh": "echo $E2E_PHASE >> order\n"})
    project.phases([{"name": name, "tests": {"t": "sh say.sh"}} for name in ("a", "b", "c")], kind="command")
    run = project.run("--phase", "c", "a")
    assert run.exit_code == 0, run.stdout + run.stderr
    assert (project.root / "order").read_text().split() == ["a", "c"]
    assert set(run.ends) == {"a/t", "c/t"}


@pytest.mark.slow
def test_every_test_gets_the_variables_of_the_contract_beside_the_callers_own(project: Project) -> None:
    project.write({"env.sh": "env | sort\n"}).commands({"t": "sh env.sh"}, env={"FROM_PHASE": "1"}, retries=1)
    run = project.run(env={"FROM_CALLER": "2"})
    found = dict(
        line.split("=", 1)
        for line in (run.folder / "p/t/attempt-1/output.log").read_text().splitlines()
        if "=" in line
    )
    assert {name: found.get(name) for name in ("FROM_CALLER", "FROM_PHASE", "E2E_PHASE", "E2E_TEST")} == {
        "FROM_CALLER": "2", "FROM_PHASE": "1", "E2E_PHASE": "p", "E2E_TEST": "t",
    }  # fmt: skip
    assert (found["E2E_ATTEMPT"], found["E2E_MAX_ATTEMPTS"], found["E2E_SLOT"]) == ("1", "2", "0")
    assert found["E2E_RUN_ID"] == run.last_line["run_id"]
    assert found["E2E_OUTPUT_DIR"] == str(run.folder / "p/t/attempt-1")
    assert found["PATH"] == os.environ["PATH"]


def test_a_flaky_test_is_green_and_never_silent(project: Project) -> None:
    project.write({"once.sh": 'test "$E2E_ATTEMPT" = 2 || { echo not yet; exit 1; }\n'})
    run = project.commands({"t": "sh once.sh"}, retries={"max": 1, "delay": 0}).run()
    assert run.exit_code == 0
    assert run.ends == {"p/t": "flaky"}
    assert "flaky" in run.stdout
    assert [attempt["status"] for attempt in run.tests["p/t"]["attempts"]] == ["failed", "passed"]
    assert (run.folder / "p/t/attempt-1/output.log").read_text() == "not yet\n"


def test_a_timeout_ends_the_test_and_everything_it_started(project: Project) -> None:
    project.write({"hang.sh": "sleep 300 & setsid -f sleep 301; sleep 302\n"})
    run = project.commands({"t": "sh hang.sh"}, timeout=2).run()
    assert run.exit_code == 1
    assert run.ends == {"p/t": "timeout"}
    assert "phase" in run.tests["p/t"]["error"]
    assert run.tests["p/t"]["duration"] < 4
    assert processes(str(project.root)) == []


def test_a_secret_reaches_no_file_and_no_terminal(project: Project) -> None:
    project.write(
        {
            "test_a.py": "import os\ndef test_x():\n    print(os.environ['MY_TOKEN'])\n    assert os.environ['MY_TOKEN'] == ''\n"
        }
    )
    run = project.phases([{"name": "p", "tests": {"a": "test_a.py"}}]).run(
        env={"MY_TOKEN": "s3cr3t-0123456789"}
    )
    assert run.ends == {"p/a": "test_failures"}
    assert "s3cr3t-0123456789" not in run.stdout + run.stderr
    assert [path for path, data in run.written() if b"s3cr3t-0123456789" in data] == []


SIGNALS = {"an interrupt": (signal.SIGINT, 130), "a termination": (signal.SIGTERM, 143)}


@pytest.mark.parametrize(("signum", "code"), SIGNALS.values(), ids=SIGNALS.keys())
def test_a_signal_ends_the_run_with_all_reports_and_no_process(
    project: Project, signum: signal.Signals, code: int
) -> None:
    project.write({"hang.sh": "touch started; sleep 300\n"})
    project.commands({"a": "sh hang.sh", "b": "true"}, parallel=False)
    process = project.start()
    wait_until((project.root / "started").exists)
    process.send_signal(signum)
    run = project.finish(process)
    assert run.exit_code == code
    assert run.seconds < 7
    assert run.ends == {"p/a": "interrupted", "p/b": "cancelled"}
    assert run.last_line["exit_code"] == code
    assert isinstance(run.journal[-1].event, RunFinished)
    assert processes(str(project.root)) == []


def test_a_run_that_is_killed_takes_its_children_with_it(project: Project) -> None:
    project.write({"hang.sh": "touch started; setsid -f sleep 300; sleep 301\n"})
    process = project.commands({"a": "sh hang.sh"}).start()
    wait_until((project.root / "started").exists)
    process.kill()
    process.communicate()
    wait_until(lambda: not processes(str(project.root)), what="the end of the children")


SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"up")
    def log_message(self, *_): print("asked", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def served(project: Project, port: int, **service: object) -> Project:
    project.write(
        {"server.py": SERVER, "ask.py": "import urllib.request as u, sys; u.urlopen(sys.argv[1])\n"}
    )
    web = {
        "command": [sys.executable, "server.py"], "env": {"PORT": str(port)},
        "ready": {"http": f"http://127.0.0.1:{port}/", "timeout": "10s"}, **service,
    }  # fmt: skip
    target = f"{sys.executable} ask.py http://127.0.0.1:{port}/"
    return project.phases([{"name": "p", "tests": {"t": target}}], kind="command", services={"web": web})


def test_services_are_up_before_the_first_test_and_gone_after_the_last(project: Project, port: int) -> None:
    run = served(project, port).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert "asked" in (run.folder / "services/web.log").read_text()
    assert processes(str(project.root)) == []


def test_no_services_starts_none(project: Project, port: int) -> None:
    run = served(project, port).run("--no-services")
    assert run.exit_code == 1
    assert not (run.folder / "services").exists()


@pytest.mark.slow
def test_a_service_that_dies_at_once_ends_the_run_with_its_last_words(project: Project, port: int) -> None:
    run = served(project, port, command="sh -c 'echo the cause; exit 3'").run()
    assert run.exit_code == 5
    assert "exit status 3" in run.stdout
    assert "the cause" in run.stdout
    assert run.ends == {"p/t": "blocked"}


@pytest.mark.slow
def test_a_service_that_never_answers_is_given_up_in_time(project: Project, port: int) -> None:
    ready = {"http": f"http://127.0.0.1:{port}/", "timeout": 1}
    run = served(project, port, command="sleep 300", ready=ready).run()
    assert run.exit_code == 5
    assert "not ready after 1 s" in run.stdout
    assert processes(str(project.root)) == []


ASKED = {
    "a server": {"http": "http://127.0.0.1:PORT/"},
    "a database": {"sql": "postgresql://app@127.0.0.1:PORT/shop_test"},
    "a page": {"page": "http://127.0.0.1:PORT/"},
}


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())
def test_a_port_that_is_taken_is_refused_before_anything_talks_to_a_stranger(
    asked: dict[str, str], project: Project, port: int
) -> None:
    ready = {kind: address.replace("PORT", str(port)) for kind, address in asked.items()}
    with socket.create_server(("127.0.0.1", port)):
        run = served(project, port, ready=ready).run()
    assert run.exit_code == 5
    assert f"port {port} of 127.0.0.1 is already in use" in run.stdout


def test_a_folder_that_cannot_be_written_is_said_before_anything_starts(project: Project) -> None:
    project.write({"blocked": "a file where the folder should be\n"})
    run = project.commands({"t": "touch started"}).run("--output", "blocked/results")
    assert run.exit_code == 5
    assert "--output" in run.stderr
    assert not (project.root / "started").exists()


@pytest.mark.slow
def test_two_runs_at_once_do_not_touch_each_other(project: Project) -> None:
    project.write({"wait.sh": "touch here-$1; until test -e here-$2; do :; done\n"})
    project.phases(
        [{"name": "a", "tests": {"t": "sh wait.sh a b"}}, {"name": "b", "tests": {"t": "sh wait.sh b a"}}],
        kind="command",
    )
    first, second = project.start("--phase", "a"), project.start("--phase", "b")
    runs = [project.finish(first), project.finish(second)]
    assert [run.exit_code for run in runs] == [0, 0]
    folders = [run.last_line["run_folder"] for run in runs]
    assert folders[0] != folders[1]


@pytest.mark.slow
def test_a_mandatory_report_that_cannot_be_written_is_exit_code_5_and_the_console_knows(
    project: Project,
) -> None:
    project.write({"occupy.sh": "mkdir -p test-results/e2e-results.json/full\n"})
    run = project.commands({"t": "sh occupy.sh"}).run()
    assert run.exit_code == 5, run.stdout
    assert run.last_line["exit_code"] == 5
    assert "NO GO" in run.stdout
    assert "GO: " not in run.stdout.replace("NO GO: ", "")
    assert run.ends_in_journal == {"p/t": "passed"}


def test_a_good_run_by_name_of_a_reporter_that_does_not_exist_starts_nothing(project: Project) -> None:
    run = project.commands({"t": "touch started"}).run("--report", "console,jsn")
    assert run.exit_code == 2
    assert "did you mean 'json'" in run.stderr
    assert not (project.root / "started").exists()
    assert not (project.root / "test-results").exists()


def test_slack_without_a_webhook_is_an_error_only_when_asked_for(project: Project) -> None:
    project.commands({"t": "true"})
    asked = project.run("--report", "console,json,slack")
    assert asked.exit_code == 2
    assert "SLACK_WEBHOOK" in asked.stderr
    assert project.run(env={"E2E_ORCHESTRATE_REPORT": "console slack"}).exit_code == 2


def test_a_reporter_of_the_files_list_that_has_nowhere_to_report_is_named(project: Project) -> None:
    listed = ["console", "json", "slack", "webhook", "otel", "github"]
    project.phases([{"name": "p", "tests": {"t": "true"}}], kind="command", report=listed)
    run = project.run(env={"GITHUB_ACTIONS": "", "GITHUB_STEP_SUMMARY": ""})
    assert run.exit_code == 0
    said = [one.event.message for one in run.journal if isinstance(one.event, Warned)]
    assert [one.split(" report", 1)[0] for one in said] == ["the slack", "the webhook", "the otel"]
    for one, lacks in zip(said, ("SLACK_WEBHOOK", "E2E_ORCHESTRATE_WEBHOOK", "OTEL_EXPORTER"), strict=True):
        assert one in run.stdout
        assert lacks in one


def test_an_address_of_the_files_reporter_that_is_none_is_a_mistake(project: Project) -> None:
    project.phases([{"name": "p", "tests": {"t": "true"}}], kind="command", report=["console", "slack"])
    run = project.run(env={"SLACK_WEBHOOK": "hooks.slack.com"})
    assert run.exit_code == 2
    assert "SLACK_WEBHOOK is not a web address" in run.stderr
    assert not (project.root / "test-results").exists()

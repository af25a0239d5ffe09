"""Slow, stalled and lingering tests, leaks, gates and questions, seen from outside."""

import signal

import pytest
from support.project import Project, processes, wait_until

from e2e_orchestrator.model.events import TestSlow


@pytest.mark.slow
def test_a_slow_test_is_named_again_and_again_and_may_go_on(project: Project) -> None:
    project.write({"slow.sh": "sleep 1.2\n"})
    run = project.commands({"t": "sh slow.sh"}, slow_after="500ms").run()
    assert run.exit_code == 0
    said = [one.event for one in run.journal if isinstance(one.event, TestSlow)]
    assert len(said) == 2
    assert "p/t  slow: 0." in run.stdout


def test_a_stalled_test_is_ended_and_one_that_still_prints_is_not(project: Project) -> None:
    project.write(
        {
            "stall.sh": "echo begun; sleep 300\n",
            "talk.sh": "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.3; done\n",
        }
    )
    run = project.commands({"stall": "sh stall.sh", "talk": "sh talk.sh"}, stall_after="1.5s").run()
    assert run.ends == {"p/stall": "timeout", "p/talk": "passed"}
    assert "1.5 s" in run.tests["p/stall"]["error"]
    assert "nothing" in run.tests["p/stall"]["error"]
    assert processes(str(project.root)) == []


@pytest.mark.slow
def test_a_process_that_stays_after_its_session_is_ended_and_keeps_its_results(project: Project) -> None:
    project.write(
        {
            "test_stays.py": """
                import threading
                def test_good():
                    threading.Thread(target=threading.Event().wait).start()
            """
        }
    )
    project.phases([{"name": "p", "tests": {"t": "test_stays.py"}, "exit_after": 1}])
    run = project.run()
    assert run.ends == {"p/t": "timeout"}
    assert "did not exit" in run.tests["p/t"]["error"]
    assert [case["status"] for case in run.tests["p/t"]["cases"]] == ["passed"]


def test_a_leak_is_named_and_ended_and_fails_only_where_the_plan_says_so(project: Project) -> None:
    project.write({"leak.sh": "setsid -f sleep 300\n"})
    project.phases(
        [
            {
                "name": "p",
                "required": False,
                "tests": {"warn": "sh leak.sh", "fail": {"target": "sh leak.sh", "leaks": "fail"}},
            }
        ],
        kind="command",
    )
    run = project.run()
    assert run.ends == {"p/warn": "passed", "p/fail": "test_failures"}
    assert [one["command"] for one in run.tests["p/warn"]["attempts"][0]["leaked"]] == ["sleep 300"]
    assert "sleep 300" in run.tests["p/fail"]["error"]
    assert "left 1 process behind" in run.stdout
    assert processes(str(project.root)) == []


def test_flaky_fail_is_exit_code_3_and_nothing_else_changes(project: Project) -> None:
    project.write({"once.sh": 'test "$E2E_ATTEMPT" = 2\n'})
    run = project.commands({"t": "sh once.sh"}, retries={"max": 1, "delay": 0}, flaky="fail").run()
    assert run.exit_code == 3
    assert run.ends == {"p/t": "flaky"}
    (gate,) = run.results["gates"]
    assert (gate["gate"], gate["holds"], gate["message"]) == ("flaky", False, "flaky: p/t")
    assert "NO GO" in run.stdout


@pytest.mark.slow
def test_flaky_fail_holds_when_nothing_was_flaky(project: Project) -> None:
    run = project.commands({"t": "true"}, flaky="fail").run()
    assert run.exit_code == 0
    assert [gate["holds"] for gate in run.results["gates"]] == [True]


def test_only_the_failed_cases_are_tried_again_and_the_rest_keeps_its_result(project: Project) -> None:
    project.write(
        {
            "test_a.py": """
                import os, pathlib, pytest
                def note(name):
                    with open("log", "a") as file: file.write(f"{os.environ['E2E_ATTEMPT']} {name}\\n")
                def test_good(): note("good")
                @pytest.mark.parametrize("x", ["a b", "c::d", "[e]"])
                def test_once(x):
                    note(x)
                    assert os.environ["E2E_ATTEMPT"] == "2" or x == "a b"
            """
        }
    )
    project.phases([{"name": "p", "tests": {"t": "test_a.py"}, "retries": {"max": 1, "delay": 0}}])
    run = project.run()
    assert run.ends == {"p/t": "flaky"}
    assert (project.root / "log").read_text().splitlines() == [
        "1 good", "1 a b", "1 c::d", "1 [e]", "2 c::d", "2 [e]",
    ]  # fmt: skip
    assert [case["status"] for case in run.tests["p/t"]["cases"]] == ["passed", "passed", "flaky", "flaky"]


@pytest.mark.slow
def test_what_is_running_is_told_on_request(project: Project) -> None:
    project.write({"wait.sh": "touch started; until test -e go; do :; done\n"})
    process = project.commands({"t": "sh wait.sh"}).start()
    wait_until((project.root / "started").exists)
    process.send_signal(signal.SIGUSR1)
    wait_until(
        lambda: (
            b"status_requested" in next(project.root.glob("test-results/runs/*/journal.jsonl")).read_bytes()
        )
    )
    (project.root / "go").touch()
    run = project.finish(process)
    assert run.exit_code == 0
    assert "p/t for 0." in run.stdout


@pytest.mark.slow
def test_a_named_secret_is_masked_though_its_name_looks_harmless(project: Project) -> None:
    project.phases([{"name": "p", "tests": {"t": "printenv PLAIN"}}], kind="command", secrets=["PLAIN"])
    run = project.run(env={"PLAIN": "open sesame"})
    assert (run.folder / "p/t/attempt-1/output.log").read_text() == "***\n"
    assert [path for path, data in run.written() if b"open sesame" in data] == []

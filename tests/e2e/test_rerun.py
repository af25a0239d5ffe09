"""Reruns from outside: only what is open runs, and the verdict and every report are of the union."""

import json
import signal
from pathlib import Path

import pytest
from support.project import Finished, Project, wait_until

from e2e_orchestrator.model.events import RunStarted, TestCarriedOver
from e2e_orchestrator.model.summary import fold

# Passes once the file named after the test exists, and leaves a mark each time it runs.
GATED = {"gated.sh": 'echo "$E2E_TEST" >> ran; test -e "fix-$E2E_TEST"\n'}


@pytest.fixture
def gated(project: Project) -> Project:
    """Phase one: a, b; phase two, in order: c, d, e."""
    project.write(GATED)
    return project.phases(
        [
            {"name": "one", "tests": dict.fromkeys("ab", "sh gated.sh")},
            {"name": "two", "tests": dict.fromkeys("cde", "sh gated.sh"), "parallel": False},
        ],
        kind="command",
    )


def fix(project: Project, names: str) -> None:
    for name in names:
        (project.root / f"fix-{name}").touch()


def ran(project: Project) -> str:
    """Who ran since this was asked last."""
    path = project.root / "ran"
    names = "".join(sorted(path.read_text().split())) if path.exists() else ""
    path.unlink(missing_ok=True)
    return names


def origins(run: Finished) -> dict[str, str | None]:
    return {name: test["carried_over_from"] for name, test in run.tests.items()}


def test_a_chain_of_reruns_runs_what_is_open_until_nothing_is(gated: Project) -> None:
    fix(gated, "a")
    first = gated.run()
    assert (first.exit_code, ran(gated)) == (1, "ab")
    fix(gated, "bc")
    second = gated.run("--rerun", "latest")
    assert (second.exit_code, ran(gated)) == (1, "bcd"), "the failed one, and what it blocked"
    assert second.ends == {
        "one/a": "passed", "one/b": "passed", "two/c": "passed", "two/d": "test_failures", "two/e": "blocked",
    }  # fmt: skip
    fix(gated, "de")
    third = gated.run("--last-failed")
    assert (third.exit_code, ran(gated)) == (0, "de")
    assert set(third.ends.values()) == {"passed"}
    one, two = first.last_line["run_id"], second.last_line["run_id"]
    assert origins(third) == {"one/a": one, "one/b": two, "two/c": two, "two/d": None, "two/e": None}
    assert third.results["rerun_of"] == two
    assert third.last_line == {**third.last_line, "tests": 5, "passed": 5, "failed": 0, "carried_over": 3}
    assert "3 carried over from an earlier run" in third.stdout
    fourth = gated.run("--last-failed")
    assert (fourth.exit_code, ran(gated)) == (0, ""), "nothing to do: the union counts"


def test_a_carried_test_keeps_its_attempts_its_cases_and_its_report(project: Project) -> None:
    project.write({"test_a.py": "def test_x(): pass\n", "test_b.py": "def test_y(): assert False\n"})
    project.phases([{"name": "p", "tests": {"a": "test_a.py", "b": "test_b.py"}}])
    first = project.run()
    second = project.run("--last-failed")
    assert second.exit_code == 1
    before, after = first.tests["p/a"], second.tests["p/a"]
    assert after == {**before, "carried_over_from": first.last_line["run_id"]}
    assert (second.output / after["attempts"][0]["output"]).is_file()
    assert json.loads((second.output / "a.json").read_text())["summary"]["passed"] == 1


@pytest.mark.slow
def test_the_journal_of_a_rerun_tells_it_all_by_itself(gated: Project) -> None:
    fix(gated, "ac")
    first = gated.run("--phase", "one")
    run = gated.run("--last-failed")
    start, *rest = [one.event for one in run.journal]
    assert isinstance(start, RunStarted)
    assert start.rerun_of == first.last_line["run_id"]
    assert [one.test for one in rest if isinstance(one, TestCarriedOver)] == ["one/a"]
    state = fold(run.journal)
    assert {test.test.id: test.carried_from for test in state.tests} == {
        "one/a": first.last_line["run_id"],
        "one/b": None,
    }
    assert [one.id for one in state.test("one/a").cases] == [
        case["id"] for case in first.tests["one/a"]["cases"]
    ]


@pytest.mark.slow
def test_a_rerun_takes_the_selection_of_the_run_it_continues(gated: Project) -> None:
    fix(gated, "a")
    gated.run("--phase", "one")
    ran(gated)
    fix(gated, "b")
    again = gated.run("--last-failed")
    assert (again.exit_code, ran(gated), set(again.ends)) == (0, "b", {"one/a", "one/b"})
    fix(gated, "cde")
    everything = gated.run("--last-failed", "--phase", "all")
    assert (everything.exit_code, ran(gated)) == (0, "cde")
    assert len(everything.ends) == 5


@pytest.mark.slow
def test_what_is_open_but_not_selected_keeps_the_exit_code_at_1(gated: Project) -> None:
    fix(gated, "a")
    gated.run()
    ran(gated)
    fix(gated, "cde")
    second = gated.run("--last-failed", "--phase", "two")
    assert (second.exit_code, ran(gated)) == (1, "cde"), "an old failure blocks nothing, and is not forgotten"
    assert second.ends["one/b"] == "test_failures"
    assert "required phase one failed" in second.last_line["why"]
    fix(gated, "b")
    third = gated.run("--last-failed")
    assert (third.exit_code, ran(gated)) == (0, "b")


@pytest.mark.slow
def test_a_changed_plan_drops_what_is_gone_and_runs_what_is_new_or_changed(gated: Project) -> None:
    fix(gated, "abcdex")
    gated.run()
    ran(gated)
    changed = {"a": "sh gated.sh", "b": "sh gated.sh again", "x": "sh gated.sh"}
    gated.phases([{"name": "one", "tests": changed}], kind="command")
    run = gated.run("--last-failed")
    assert (run.exit_code, ran(gated), set(run.ends)) == (0, "bx", {"one/a", "one/b", "one/x"})
    assert "no longer in the plan" in run.stdout
    assert "two/c, two/d, two/e" in run.stdout


def test_what_passed_in_another_environment_of_the_file_runs_again_and_that_is_said(gated: Project) -> None:
    fix(gated, "ab")
    tests = {"a": {"target": "sh gated.sh", "env": {"API_URL": "${API_URL}"}}, "b": "sh gated.sh"}
    gated.phases([{"name": "one", "tests": tests}], kind="command")
    first = gated.run(env={"API_URL": "http://one"})
    assert (first.exit_code, ran(gated)) == (0, "ab")
    said = f"not carried over, because run {first.last_line['run_id']} had another API_URL: one/a"
    shown = gated.run("--last-failed", "--dry-run", env={"API_URL": "http://two"})
    assert (said in shown.stderr, ran(gated)) == (True, "")
    second = gated.run("--last-failed", env={"API_URL": "http://two"})
    assert (second.exit_code, ran(gated), said in second.stdout) == (0, "a", True)
    third = gated.run("--last-failed", env={"API_URL": "http://two"})
    assert (third.exit_code, ran(gated), third.last_line["carried_over"]) == (0, "", 2)


@pytest.mark.slow
def test_a_flaky_test_stays_flaky_through_reruns(project: Project) -> None:
    project.write({"once.sh": 'test "$E2E_ATTEMPT" = 2\n', **GATED})
    project.commands({"f": "sh once.sh", "g": "sh gated.sh"}, retries={"max": 1, "delay": 0})
    assert project.run().ends == {"p/f": "flaky", "p/g": "test_failures"}
    fix(project, "g")
    second = project.run("--last-failed")
    assert second.exit_code == 0
    assert second.ends == {"p/f": "flaky", "p/g": "passed"}
    assert second.results["flaky"] == ["p/f"]
    assert [one["status"] for one in second.tests["p/f"]["attempts"]] == ["failed", "passed"]


@pytest.mark.slow
def test_a_run_that_was_interrupted_is_continued(gated: Project) -> None:
    gated.write({"wait.sh": "touch started; test -e go || sleep 300\n"})
    gated.commands({"a": "true", "b": "sh wait.sh", "c": "true"}, parallel=False)
    process = gated.start()
    wait_until((gated.root / "started").exists)
    process.send_signal(signal.SIGINT)
    assert gated.finish(process).ends == {"p/a": "passed", "p/b": "interrupted", "p/c": "cancelled"}
    (gated.root / "go").touch()
    run = gated.run("--last-failed")
    assert (run.exit_code, run.last_line["carried_over"]) == (0, 1)


@pytest.mark.slow
def test_a_run_that_was_killed_is_continued(project: Project) -> None:
    project.write({"wait.sh": "test -e go || { touch started; sleep 300; }\n"})
    project.commands({"a": "true", "b": "sh wait.sh", "c": "true"}, parallel=False)
    process = project.start()
    wait_until((project.root / "started").exists)
    process.kill()
    process.communicate()
    (project.root / "go").touch()
    run = project.run("--last-failed")
    assert (run.exit_code, run.last_line["carried_over"]) == (0, 1)
    assert set(run.ends.values()) == {"passed"}


@pytest.mark.slow
def test_the_earlier_run_is_found_below_the_output_folder_that_is_given(gated: Project) -> None:
    fix(gated, "a")
    first = gated.run("--output", "here", "--phase", "one")
    assert first.exit_code == 1
    run_id = first.last_line["run_id"]
    elsewhere = gated.run("--rerun", run_id)
    assert elsewhere.exit_code == 2
    assert "there is no run below" in elsewhere.stderr
    assert elsewhere.last_line["exit_code"] == 2
    fix(gated, "b")
    assert gated.run("--output", "here", "--rerun", run_id[:18]).exit_code == 0


def test_a_dry_run_shows_what_would_run_and_why_the_rest_would_not(gated: Project) -> None:
    fix(gated, "a")
    first = gated.run()
    ran(gated)
    shown = gated.run("--last-failed", "--dry-run")
    assert (shown.exit_code, ran(gated)) == (0, "")
    assert f"one/a: passed in run {first.last_line['run_id']}" in shown.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--last-failed", "--rerun", "20260101"], "use one of them"),
        (["--rerun", ""], "no run is named: its name is empty"),
    ],
    ids=["two runs named at once", "a run without a name"],
)
def test_a_usage_error_is(gated: Project, options: list[str], said: str) -> None:
    run = gated.run(*options)
    assert run.exit_code == 2
    assert said in run.stderr


def test_the_journal_that_is_named_counts_and_not_its_neighbour(gated: Project) -> None:
    fix(gated, "a")
    red = gated.run("--output", "red", "--phase", "one")
    fix(gated, "b")
    green = gated.run("--output", "green", "--phase", "one")
    (gated.root / "kept").mkdir()
    for name, run in {"red.jsonl": red, "journal.jsonl": green}.items():
        Path(run.last_line["run_folder"], "journal.jsonl").rename(gated.root / "kept" / name)
    shown = gated.run("--rerun", "kept/red.jsonl", "--dry-run")
    assert f"one/a: passed in run {red.last_line['run_id']}" in shown.stdout
    assert "one/b: passed" not in shown.stdout
    assert "lies in another output folder: reports cannot show" in shown.stderr


@pytest.mark.slow
def test_a_run_that_goes_on_cannot_be_continued(project: Project) -> None:
    project.write({"wait.sh": "touch started; until test -e go; do sleep 0.05; done\n"}).commands(
        {"a": "sh wait.sh"}
    )
    process = project.start()
    wait_until((project.root / "started").exists)
    [folder] = Path(project.root / "test-results" / "runs").iterdir()
    assert "still going on" in project.run("--rerun", folder.name).stderr
    assert "no run below" in project.run("--rerun", "latest").stderr
    (project.root / "go").touch()
    assert project.finish(process).exit_code == 0


@pytest.mark.slow
def test_with_nothing_to_do_no_service_is_started(project: Project) -> None:
    project.write(
        {"serve.sh": "touch served; exec sleep 300\n", "wait.sh": "until test -e served; do :; done\n"}
    )
    project.phases(
        [{"name": "p", "tests": {"a": "sh wait.sh"}}],
        kind="command",
        services={"s": {"command": "sh serve.sh"}},
    )
    assert project.run().exit_code == 0
    (project.root / "served").unlink()
    assert project.run("--last-failed").exit_code == 0
    assert not (project.root / "served").exists()

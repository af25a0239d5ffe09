"""Phases that overlap, from outside."""

import json
import os

import pytest
from support.project import Finished, Project

# Passes only beside its partner: both ends of a pipe must be open at the same time.
MEET = {"a": "sh -c 'echo here > meeting'", "b": "sh -c 'read word < meeting'"}


@pytest.fixture
def meeting(project: Project) -> Project:
    """Phases one and two can only pass together; three comes after both, and beside has nothing to do with them."""
    os.mkfifo(project.root / "meeting")
    return project.phases(
        [
            {"name": "one", "needs": [], "timeout": 60, "tests": {"a": MEET["a"]}},
            {"name": "two", "needs": [], "timeout": 60, "tests": {"b": MEET["b"]}},
            {"name": "three", "needs": ["one", "two"], "tests": {"c": "true"}},
        ],
        kind="command",
        workers=2,
    )


def phases_of(run: Finished) -> dict[str, str]:
    return {phase["name"]: phase["status"] for phase in run.results["phases"]}


def test_phases_that_do_not_need_each_other_run_side_by_side(meeting: Project) -> None:
    run = meeting.run("-v")
    assert run.exit_code == 0, run.stdout + run.stderr
    assert phases_of(run) == {"one": "passed", "two": "passed", "three": "passed"}
    assert [end["phase"] for end in run.results["timing"]["critical_path"]][-1] == "three"
    assert "GO: 3 tests passed" in run.stdout


def test_the_plan_says_what_comes_after_what(meeting: Project) -> None:
    told = meeting.run("plan").stdout
    assert "one (parallel, required, at most 1m, after nothing)" in told
    assert "three (parallel, required, at most 2m, after one and two)" in told
    as_json = json.loads(meeting.run("plan", "--json").stdout)
    assert {phase["name"]: phase["needs"] for phase in as_json["phases"]} == {
        "one": [], "two": [], "three": ["one", "two"],
    }  # fmt: skip


@pytest.mark.slow
def test_a_need_that_is_not_selected_counts_as_met(project: Project) -> None:
    project.phases(
        [
            {"name": "one", "tests": {"a": "false"}},
            {"name": "two", "needs": ["one"], "tests": {"b": "true"}},
        ],
        kind="command",
    )
    assert project.run("--phase", "two").ends == {"two/b": "passed"}
    assert project.run().ends == {"one/a": "test_failures", "two/b": "blocked"}


@pytest.mark.slow
def test_a_rerun_runs_what_was_blocked_and_keeps_what_ran_beside_it(project: Project) -> None:
    project.phases(
        [
            {"name": "one", "needs": [], "tests": {"a": "test -e fixed"}},
            {"name": "beside", "needs": [], "tests": {"b": "true"}},
            {"name": "after", "tests": {"c": "true"}},
        ],
        kind="command",
    )
    first = project.run()
    assert first.ends == {"one/a": "test_failures", "beside/b": "passed", "after/c": "blocked"}
    project.write({"fixed": ""})
    again = project.run("--last-failed")
    assert again.exit_code == 0, again.stdout + again.stderr
    assert again.ends == {"one/a": "passed", "beside/b": "passed", "after/c": "passed"}
    assert again.last_line["carried_over"] == 1


def test_phases_that_wait_for_each_other_are_refused_with_their_place(project: Project) -> None:
    project.phases(
        [
            {"name": "one", "needs": ["two"], "tests": {"a": "true"}},
            {"name": "two", "needs": ["one"], "tests": {"b": "true"}},
        ],
        kind="command",
    )
    run = project.run()
    assert run.exit_code == 2
    assert (
        "phases.one.needs[0]: the phases would wait for each other: `one` needs `two` needs `one`"
        in run.stderr
    )

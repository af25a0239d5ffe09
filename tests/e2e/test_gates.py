"""Gates from outside: each with a run that holds it and one that does not."""

import json
from typing import Any

import pytest
from support.project import Finished, Project

pytestmark = pytest.mark.slow

# $1 good cases, $2 skipped ones; `flaky` in the name fails once, `leaky` leaves a process behind.
STORY = """\
    say() { printf '%s\\n' "$1" >>"$E2E_EVENTS"; }
    tell() { say "{\\"event\\": \\"case_finished\\", \\"id\\": \\"$1\\", \\"status\\": \\"$2\\"}"; }
    say '{"event": "session_started"}'
    n=0; while [ $n -lt "$1" ]; do n=$((n + 1)); tell "good$n" passed; done
    n=0; while [ $n -lt "$2" ]; do n=$((n + 1)); tell "skip$n" skipped; done
    case "$E2E_TEST$E2E_ATTEMPT" in
      flaky*1) exit 1 ;;
      leaky*) sleep 600 >/dev/null 2>&1 & ;;
    esac
    say '{"event": "session_finished", "exit_status": 0}'
"""


def phases(
    *,
    flaky: bool = False,
    leaky: bool = False,
    good: int = 3,
    tags: tuple[str, ...] = ("smoke",),
    unmet: bool = False,
) -> Any:
    tests: dict[str, Any] = {
        "a": {"target": f"sh story.sh {good} 1", "tags": list(tags)},
        "flaky" if flaky else "b": "sh story.sh 2 0",
        "leaky" if leaky else "c": "sh story.sh 1 0",
    }
    if unmet:
        tests["d"] = {"target": "true", "tags": ["security"], "when": "no"}
    return [{"name": "p", "tests": tests, "retries": {"max": 1, "delay": 0}}]


def gates(run: Finished) -> dict[str, bool]:
    return {gate["gate"]: gate["holds"] for gate in run.results["gates"]}


HELD_OR_NOT: dict[str, tuple[dict[str, Any], dict[str, Any], str, bool]] = {
    "at most one flaky test": ({"flaky": 1}, {"flaky": True}, "max_flaky", True),
    "no flaky test": ({"flaky": 0}, {"flaky": True}, "max_flaky", False),
    "at most half of the tests flaky": ({"flaky": "50%"}, {"flaky": True}, "max_flaky", True),
    "at most a tenth of the tests flaky": ({"flaky": "10%"}, {"flaky": True}, "max_flaky", False),
    "three tests": ({"min_tests": 3}, {}, "min_tests", True),
    "four tests": ({"min_tests": 4}, {}, "min_tests", False),
    "six cases": ({"min_cases": 6}, {}, "min_cases", True),
    "seven cases": ({"min_cases": 7}, {}, "min_cases", False),
    "one skipped case": ({"max_skipped": 1}, {}, "max_skipped", True),
    "no skipped case": ({"max_skipped": 0}, {}, "max_skipped", False),
    "a tenth of the cases skipped": ({"max_skipped": "10%"}, {}, "max_skipped", False),
    "ten minutes": ({"max_duration": "10m"}, {}, "max_duration", True),
    "a millisecond": ({"max_duration": "1ms"}, {}, "max_duration", False),
    "no leak, and there is none": ({"no_leaks": True}, {}, "no_leaks", True),
    "no leak, and there is one": ({"no_leaks": True}, {"leaky": True}, "no_leaks", False),
    "a tag that ran": ({"required_tags": ["smoke"]}, {}, "required_tags", True),
    "a tag of a test that did not": (
        {"required_tags": ["smoke", "security"]},
        {"unmet": True},
        "required_tags",
        False,
    ),
}


@pytest.mark.parametrize(("asked", "suite", "gate", "holds"), HELD_OR_NOT.values(), ids=HELD_OR_NOT)
def test_a_gate_decides_about_a_run_that_passed(
    project: Project, asked: dict[str, Any], suite: dict[str, Any], gate: str, holds: bool
) -> None:
    run = project.write({"story.sh": STORY}).phases(phases(**suite), kind="command", gates=asked).run()
    assert run.exit_code == (0 if holds else 3), run.stdout
    (told,) = run.results["gates"]
    assert (told["gate"], told["holds"], told["phase"]) == (gate, holds, None)
    assert told["found"] is not None
    assert f"gate {gate}" in run.stdout
    assert told["message"] in run.stdout
    assert (gate in run.last_line["why"]) is not holds


def test_a_gate_of_a_phase_is_about_that_phase_alone(project: Project) -> None:
    project.write({"story.sh": STORY})
    first, second = phases()[0], {**phases()[0], "name": "q", "gates": {"min_tests": 4}}
    run = project.phases([first, second], kind="command", gates={"min_tests": 4}).run()
    assert run.exit_code == 3
    assert [(one["phase"], one["holds"]) for one in run.results["gates"]] == [(None, True), ("q", False)]
    assert "gate min_tests of phase q did not hold: 3 tests ran, at least 4" in run.last_line["why"]


def test_a_gate_of_an_optional_phase_is_shown_and_gates_nothing(project: Project) -> None:
    phase = {**phases()[0], "required": False, "gates": {"min_tests": 4}}
    run = project.write({"story.sh": STORY}).phases([phase], kind="command").run()
    assert (run.exit_code, run.results["gates"][0]["holds"]) == (0, False)


def test_a_run_may_not_fall_far_below_the_last_green_one(project: Project) -> None:
    project.write({"story.sh": STORY})

    def run(good: int) -> Finished:
        asked = {"min_cases": {"below_last_green": 1}}
        return project.phases(phases(good=good), kind="command", gates=asked).run()

    first = run(6)
    assert first.exit_code == 0
    assert "no green run before" in first.results["gates"][0]["message"]
    assert run(5).exit_code == 0, "one fewer is allowed"
    third = run(3)
    assert third.exit_code == 3
    assert "6 cases ran, 8 in the last green run" in third.results["gates"][0]["message"]
    assert run(4).exit_code == 0, "the red one does not count"


def test_a_run_of_a_part_is_nothing_to_fall_below(project: Project) -> None:
    project.write({"story.sh": STORY})

    def run(*arguments: str, good: int) -> Finished:
        both = [{**phases(good=good)[0], "gates": {"min_cases": {"below_last_green": 0}}}, second]
        return project.phases(both, kind="command").run(*arguments)

    second = {"name": "q", "tests": {"a": "sh story.sh 1 0"}}
    assert run(good=3).exit_code == 0
    assert run("--phase", "q", good=3).exit_code == 0
    assert run("--test", "p/b", good=3).exit_code == 3
    fallen = run(good=2)
    assert fallen.exit_code == 3
    assert "5 cases ran, 6 in the last green run" in fallen.results["gates"][0]["message"]


def test_what_could_not_be_started_has_not_run(project: Project) -> None:
    lost = {"name": "p", "required": False, "tests": {"a": {"target": "no-such-program", "tags": ["smoke"]}}}
    asked = {"min_tests": 1, "required_tags": ["smoke"]}
    run = project.phases([lost], kind="command", gates=asked).run()
    assert run.exit_code == 3, run.stdout
    assert gates(run) == {"min_tests": False, "required_tags": False}
    assert "0 tests ran, at least 1" in run.stdout


def test_a_share_that_is_reached_holds(project: Project) -> None:
    project.write({"story.sh": STORY})
    tests = {"a": "sh story.sh 993 7"}
    asked = {"max_skipped": "0.7%"}
    run = project.phases([{"name": "p", "tests": tests}], kind="command", gates=asked).run()
    assert run.exit_code == 0, run.results["gates"]


def test_a_replay_tells_the_same_figures(project: Project) -> None:
    project.write({"story.sh": STORY}).phases(phases(), kind="command", gates={"min_tests": 3})
    run = project.run()
    live = (run.output / "e2e-results.json").read_bytes()
    project.run("replay", "--report", "json")
    assert (run.output / "e2e-results.json").read_bytes() == live


def test_shards_are_asked_together(project: Project) -> None:
    project.write({"story.sh": STORY}).phases(
        phases(), kind="command", gates={"min_tests": 3, "no_leaks": True}
    )
    for index in (1, 2):
        run = project.finish(
            project.start("--shard", f"{index}/2", "--output", f"results-{index}"), output=f"results-{index}"
        )
        assert run.exit_code == 0
        assert gates(run) == {"no_leaks": True}
    merged = project.finish(
        project.start("merge", "results-1", "results-2", "--output", "merged"), output="merged"
    )
    assert merged.exit_code == 0
    assert gates(merged) == {"min_tests": True, "no_leaks": True}


def test_a_run_that_failed_keeps_its_exit_code_and_shows_its_gates(project: Project) -> None:
    run = (
        project.commands({"bad": "false"})
        .phases([{"name": "p", "tests": {"bad": "false"}}], kind="command", gates={"min_tests": 5})
        .run()
    )
    assert run.exit_code == 1
    assert run.results["gates"][0]["holds"] is False


WRONG = {
    "a negative number": ({"min_tests": -1}, "must be a whole number from 0"),
    "a share of more than all": ({"flaky": "120%"}, "is no number and no share"),
    "a percentage of more than all": ({"coverage": 101}, "is no percentage"),
    "a tag that no test has": (
        {"required_tags": ["smok"]},
        "gates.required_tags[0]: no test has the tag `smok` (hint: did you mean `smoke`?)",
    ),
    "coverage that nothing measures": ({"coverage": 80}, "gates.coverage: nothing measures coverage"),
    "nothing to compare with": ({"min_cases": {}}, "asks for nothing"),
    "an unknown gate": ({"max_flaky": 1}, "unknown key"),
}


@pytest.mark.parametrize(("asked", "says"), WRONG.values(), ids=WRONG)
def test_a_gate_that_makes_no_sense_is_refused(project: Project, asked: dict[str, Any], says: str) -> None:
    phase = {"name": "p", "tests": {"t": "true"}, "tags": ["smoke"]}
    run = project.phases([phase], kind="command", gates=asked).run("validate")
    assert run.exit_code == 2
    assert says.lower() in run.stderr.lower(), json.dumps(run.stderr)


def test_a_selection_without_a_tag_of_the_file_is_a_matter_of_the_gate(project: Project) -> None:
    tests = {"a": {"target": "true", "tags": ["smoke"]}, "b": "true"}
    project.phases([{"name": "p", "tests": tests}], kind="command", gates={"required_tags": ["smoke"]})
    run = project.run("--test", "b")
    assert run.exit_code == 3
    assert "no test ran with tag smoke" in run.stdout


def test_a_tag_that_only_another_phase_has_is_a_mistake_of_the_phase(project: Project) -> None:
    first = {"name": "p", "tests": {"a": "true"}, "tags": ["smoke"], "gates": {"required_tags": ["smoke"]}}
    second = {"name": "q", "tests": {"b": "true"}, "gates": {"required_tags": ["smoke"]}}
    run = project.phases([first, second], kind="command", gates={"required_tags": ["smoke"]}).run("validate")
    assert run.exit_code == 2
    assert run.stderr.splitlines()[-1] == "1 mistake"
    assert "phases.q.gates.required_tags[0]: no test of this phase has the tag `smoke`" in run.stderr


def test_a_runner_that_measures_and_that_no_phase_uses_measures_nothing(project: Project) -> None:
    runners = {"r": {"kind": "command"}, "unit": {"kind": "pytest", "coverage": {"source": ["app"]}}}
    phase = {"name": "p", "tests": {"t": "true"}}
    run = project.phases([phase], runners=runners, gates={"coverage": 80}).run("validate")
    assert run.exit_code == 2
    assert "nothing measures coverage (hint: runner `unit` measures, but no phase uses it)" in run.stderr


def test_what_another_tool_cannot_measure_by_itself_is_not_measured(project: Project) -> None:
    """``source`` is for coverage.py: what a command runs may only leave files."""
    phase = {"name": "p", "tests": {"t": "true"}}

    def asked(coverage: dict[str, Any]) -> int:
        runners = {"r": {"kind": "command", "coverage": coverage}}
        return project.phases([phase], runners=runners, gates={"coverage": 80}).run("validate").exit_code

    assert asked({"source": ["app"]}) == 2
    assert asked({"files": ["lcov.info"]}) == 0

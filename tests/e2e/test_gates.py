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
    *, flaky: bool = False, leaky: bool = False, good: int = 3, tags: tuple[str, ...] = ("smoke",)
) -> Any:
    tests: dict[str, Any] = {
        "a": {"target": f"sh story.sh {good} 1", "tags": list(tags)},
        "flaky" if flaky else "b": "sh story.sh 2 0",
        "leaky" if leaky else "c": "sh story.sh 1 0",
    }
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
    "a tag that did not": ({"required_tags": ["smoke", "security"]}, {}, "required_tags", False),
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
    "nothing to compare with": ({"min_cases": {}}, "asks for nothing"),
    "an unknown gate": ({"max_flaky": 1}, "unknown key"),
}


@pytest.mark.parametrize(("asked", "says"), WRONG.values(), ids=WRONG)
def test_a_gate_that_makes_no_sense_is_refused(project: Project, asked: dict[str, Any], says: str) -> None:
    run = project.phases([{"name": "p", "tests": {"t": "true"}}], kind="command", gates=asked).run("validate")
    assert run.exit_code == 2
    assert says.lower() in run.stderr.lower(), json.dumps(run.stderr)

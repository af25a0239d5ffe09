"""The engine's policy, told as stories on a scripted executor in virtual time."""

import pytest
from support.plans import a_phase, a_plan, a_test
from support.scripted import Step, fails, passes, play

from e2e_orchestrator.model.events import RunStarted
from e2e_orchestrator.model.outcomes import Reason, Status, because
from e2e_orchestrator.model.plan import MaxFailures, RetryLimits, RetryPolicy, RetryStrategy

ONCE = RetryPolicy(max=1, delay=0.0)
TWICE = RetryPolicy(max=2, delay=5.0)


def test_a_run_of_passing_phases_is_green_and_announces_every_test_first() -> None:
    story = play(a_plan(a_phase("one", "a", "b"), a_phase("two", "c")))
    assert story.verdict.exit_code == 0
    assert story.ends == {"a": "passed", "b": "passed", "c": "passed"}
    first = story.envelopes[0].event
    assert isinstance(first, RunStarted)
    assert [test.name for test in first.plan.tests] == ["a", "b", "c"]
    assert [one.seq for one in story.envelopes] == list(range(1, len(story.envelopes) + 1))


def test_a_parallel_phase_uses_the_smallest_free_slot_and_never_more_than_there_are() -> None:
    script = {"a": [Step(seconds=3)], "b": [Step(seconds=1)], "c": [Step(seconds=1)], "d": [Step(seconds=1)]}
    story = play(a_plan(a_phase("one", "a", "b", "c", "d"), workers=2), script=script)
    assert story.started == [(0, "a", 0), (0, "b", 1), (1, "c", 1), (2, "d", 1)]


def test_a_sequential_phase_runs_in_order_and_stops_at_its_first_failure() -> None:
    plan = a_plan(a_phase("one", "a", "b", "c", parallel=False, required=False), a_phase("two", "d"))
    story = play(plan, script={"b": [fails()]})
    assert story.ends == {"a": "passed", "b": "test_failures", "c": "blocked", "d": "passed"}
    assert story.verdict.exit_code == 0, "an optional phase does not gate"
    assert "'one/b' failed" in (story.state.test("one/c").verdict.message or "")


def test_a_parallel_phase_lets_the_others_finish_after_a_failure() -> None:
    story = play(a_plan(a_phase("one", "a", "b", "c"), workers=1), script={"a": [fails()]})
    assert story.ends == {"a": "test_failures", "b": "passed", "c": "passed"}


def test_a_failed_required_phase_ends_the_run_and_names_itself() -> None:
    story = play(
        a_plan(a_phase("one", "a"), a_phase("two", "b"), a_phase("three", "c")), script={"a": [fails()]}
    )
    assert story.ends == {"a": "test_failures", "b": "blocked", "c": "blocked"}
    assert story.verdict.exit_code == 1
    assert story.state.phase("three").status is Status.SKIPPED
    assert story.state.phase("three").reason is Reason.BLOCKED


def test_a_pass_after_failures_is_flaky_and_waits_before_every_retry() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE)))
    story = play(plan, script={"a": [fails(), fails()]})
    assert story.ends == {"a": "flaky"}
    assert story.pauses == [5.0, 5.0]
    assert [time for time, _, _ in story.started] == [0, 6, 12]
    assert story.verdict.exit_code == 0
    assert len(story.state.test("one/a").attempts) == 3, "every attempt keeps its evidence"


def test_the_pause_grows_by_its_factor_up_to_its_limit() -> None:
    policy = RetryPolicy(max=4, delay=1.0, factor=3.0, max_delay=10.0)
    story = play(a_plan(a_phase("one", a_test("a", retries=policy))), script={"a": [fails()] * 9})
    assert story.pauses == [1.0, 3.0, 9.0, 10.0]
    assert story.ends == {"a": "test_failures"}


def test_a_waiting_retry_leaves_its_slot_to_others_and_goes_before_tests_that_never_ran() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE), "b", "c", "d"), workers=1)
    script = {"a": [fails()], "b": [Step(seconds=3)], "c": [Step(seconds=3)]}
    assert [name for _, name, _ in play(plan, script=script).started] == ["a", "b", "c", "a", "d"]


def test_in_a_sequential_phase_the_next_test_waits_for_the_retries_of_the_one_before() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE), "b", parallel=False))
    story = play(plan, script={"a": [fails()]})
    assert [name for _, name, _ in story.started] == ["a", "a", "b"]
    assert story.ends == {"a": "flaky", "b": "passed"}


def test_a_test_that_hangs_twice_is_not_given_a_third_limit() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=RetryPolicy(max=5, delay=0.0), timeout=3.0)))
    assert play(plan, script={"a": [Step(seconds=99)] * 9}).order == ["a", "a"]
    script = {"a": [Step(seconds=99), fails(), Step(seconds=99)]}
    assert play(plan, script=script).ends == {"a": "flaky"}


@pytest.mark.parametrize("reason", [Reason.USAGE_ERROR, Reason.INFRASTRUCTURE, Reason.NO_TESTS])
def test_what_a_second_attempt_cannot_change_is_not_retried(reason: Reason) -> None:
    story = play(a_plan(a_phase("one", a_test("a", retries=TWICE))), script={"a": [fails(reason)]})
    assert len(story.started) == 1
    assert story.verdict.exit_code == (5 if reason is Reason.INFRASTRUCTURE else 1)


def test_infrastructure_beside_a_real_failure_counts_as_a_failure() -> None:
    script = {"a": [fails(Reason.INFRASTRUCTURE)], "b": [fails()]}
    assert play(a_plan(a_phase("one", "a", "b")), script=script).verdict.exit_code == 1


def test_a_test_that_outlives_its_limit_is_a_timeout_and_says_whose_limit_it_was() -> None:
    plan = a_plan(a_phase("one", a_test("a", timeout=4.0), "b", timeout=9.0))
    story = play(plan, script={"a": [Step(seconds=99)], "b": [Step(seconds=99)]})
    assert story.ends == {"a": "timeout", "b": "timeout"}
    assert story.state.test("one/a").verdict.message == "test"
    assert story.state.test("one/b").verdict.message == "phase"


def test_a_phase_out_of_time_starts_nothing_more() -> None:
    plan = a_plan(a_phase("one", "a", "b", timeout=5.0, required=False), a_phase("two", "c"), workers=1)
    story = play(plan, script={"a": [Step(seconds=99)]})
    assert story.ends == {"a": "timeout", "b": "cancelled", "c": "passed"}


def test_a_run_out_of_time_ends_every_planned_test_and_is_not_green() -> None:
    plan = a_plan(a_phase("one", "a", required=False), a_phase("two", "b"), timeout=5.0)
    story = play(plan, script={"a": [Step(seconds=99)]})
    assert story.ends == {"a": "timeout", "b": "cancelled"}
    assert story.verdict.exit_code == 1


def test_a_retry_that_has_no_time_left_is_not_started() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE), timeout=6.0))
    story = play(plan, script={"a": [fails(seconds=2)]})
    assert len(story.started) == 1
    assert story.ends == {"a": "test_failures"}


def test_an_interrupt_ends_the_running_and_cancels_the_rest() -> None:
    plan = a_plan(a_phase("one", "a", "b", "c"), a_phase("two", "d"))
    script = {"a": [Step(seconds=99)], "b": [Step(seconds=99)]}
    story = play(plan, script=script, cancel_at=3.0)
    assert story.ends == {"a": "interrupted", "b": "interrupted", "c": "cancelled", "d": "cancelled"}
    assert story.verdict.exit_code == 130


def test_an_interrupt_during_a_pause_keeps_the_failure_that_led_to_it() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=RetryPolicy(max=1, delay=50.0))))
    story = play(plan, script={"a": [fails()]}, cancel_at=10.0)
    assert story.ends == {"a": "test_failures"}
    assert story.verdict.exit_code == 130


def test_a_run_in_which_every_test_was_skipped_has_run_nothing() -> None:
    skipped = Step(verdict=because(Reason.ALL_SKIPPED))
    assert play(a_plan(a_phase("one", "a")), script={"a": [skipped]}).verdict.exit_code == 4


def test_a_required_phase_that_ran_nothing_is_not_proven_to_have_passed() -> None:
    skipped = Step(verdict=because(Reason.ALL_SKIPPED))
    story = play(a_plan(a_phase("one", "a"), a_phase("two", "b")), script={"a": [skipped]})
    assert story.verdict.exit_code == 1
    assert "ran nothing" in story.verdict.why
    optional = a_plan(a_phase("one", "a", required=False), a_phase("two", "b"))
    assert play(optional, script={"a": [skipped]}).verdict.exit_code == 0


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")], ids=["skipped first", "condition first"])
def test_a_condition_that_does_not_hold_does_not_hide_that_the_rest_of_a_phase_was_skipped(
    order: tuple[str, str],
) -> None:
    tests = {"a": a_test("a"), "b": a_test("b", condition="it is not Sunday")}
    plan = a_plan(a_phase("one", *(tests[name] for name in order)), a_phase("two", "c"))
    story = play(plan, script={"a": [Step(verdict=because(Reason.ALL_SKIPPED))]})
    assert story.ends == {"a": "all_skipped", "b": "condition", "c": "passed"}
    assert story.verdict.exit_code == 1
    assert "required phase one ran nothing" in story.verdict.why


def test_a_required_phase_that_conditions_left_out_is_no_objection() -> None:
    plan = a_plan(a_phase("one", a_test("a", condition="it is not Sunday")), a_phase("two", "b"))
    assert play(plan, script={}).verdict.exit_code == 0


def test_a_case_that_failed_and_never_came_back_keeps_its_test_red() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=ONCE)))
    story = play(plan, script={"a": [fails(x="failed"), passes(y="passed")]})
    assert story.ends == {"a": "test_failures"}
    assert {one.id: one.status for one in story.state.test("one/a").cases} == {"x": "failed", "y": "passed"}


def test_a_case_that_was_never_reached_keeps_its_test_red() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=ONCE)))
    story = play(plan, script={"a": [fails(x="failed", y="not_run"), passes(x="passed")]})
    assert story.ends == {"a": "test_failures"}


def test_a_retry_is_about_the_cases_that_failed_or_were_never_reached() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE)))
    first = fails(x="failed", y="passed", z="not_run")
    story = play(plan, script={"a": [first, fails(x="passed", z="failed"), passes(z="passed")]})
    assert story.only == [(), ("x", "z"), ("z",)]
    assert story.ends == {"a": "flaky"}
    assert {one.id: one.status for one in story.state.test("one/a").cases} == {
        "x": "flaky", "y": "passed", "z": "flaky",
    }  # fmt: skip


@pytest.mark.parametrize("reason", [Reason.CRASH, Reason.TIMEOUT, Reason.COLLECTION_ERROR])
def test_a_failure_that_belongs_to_no_case_is_retried_as_a_whole(reason: Reason) -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=ONCE)))
    assert play(plan, script={"a": [fails(reason, x="passed", y="error")]}).only == [(), ()]


STRATEGIES = {
    "immediate": ["a", "b", "a", "c", "d"],
    "end_of_phase": ["a", "b", "c", "d", "a"],
    "isolated": ["a", "b", "c", "d", "a"],
}


@pytest.mark.parametrize(("strategy", "order"), STRATEGIES.items(), ids=STRATEGIES.keys())
def test_when_a_retry_takes_its_turn(strategy: str, order: list[str]) -> None:
    retries = RetryPolicy(max=1, delay=0.5, strategy=RetryStrategy(strategy))
    plan = a_plan(a_phase("one", a_test("a", retries=retries), "b", "c", "d"), workers=1)
    assert play(plan, script={"a": [fails()]}).order == order


def test_an_isolated_retry_runs_alone_after_everything_else() -> None:
    alone = RetryPolicy(max=1, delay=0.0, strategy=RetryStrategy.ISOLATED)
    plan = a_plan(a_phase("one", a_test("a", retries=alone), a_test("b", retries=alone), "c"), workers=3)
    story = play(plan, script={"a": [fails()], "b": [fails()], "c": [Step(seconds=9)]})
    assert story.started[3:] == [(9, "a", 0), (10, "b", 0)]


RULES = {
    "a reason by its name": ({"only_on": ("timeout",)}, fails(Reason.TIMEOUT), True),
    "another reason": ({"only_on": ("timeout",)}, fails(Reason.CRASH), False),
    "a message": ({"only_on": ("x br.ke",)}, fails(x="failed"), True),
    "no such message": ({"only_on": ("ECONNRESET",)}, fails(x="failed"), False),
    "never wins over only": ({"only_on": ("broke",), "never_on": ("broke$",)}, fails(x="failed"), False),
    "a reason's name is no pattern": ({"only_on": ("crash",)}, fails(crash="failed"), False),
}


@pytest.mark.parametrize(("rules", "step", "retried"), RULES.values(), ids=RULES.keys())
def test_which_failures_are_retried(rules: dict[str, tuple[str, ...]], step: Step, retried: bool) -> None:
    policy = RetryPolicy(max=1, delay=0.0, **rules)  # type: ignore[arg-type]
    story = play(a_plan(a_phase("one", a_test("a", retries=policy))), script={"a": [step]})
    assert story.order == (["a", "a"] if retried else ["a"])


def test_a_budget_is_shared_by_all_tests_and_its_end_is_said_once() -> None:
    tests = [a_test(name, retries=RetryPolicy(max=3, delay=0.0)) for name in "abc"]
    plan = a_plan(a_phase("one", *tests), workers=1, retry_limits=RetryLimits(budget=2))
    story = play(plan, script={name: [fails()] * 9 for name in "abc"})
    assert len(story.order) == 3 + 2
    assert len(story.state.warnings) == 1
    assert "budget of 2 retries" in story.state.warnings[0]


def test_the_breaker_stops_retrying_when_too_many_tests_fail() -> None:
    tests = [a_test(name, retries=RetryPolicy(max=1, delay=0.0)) for name in "abcd"]
    plan = a_plan(a_phase("one", *tests), workers=1, retry_limits=RetryLimits(breaker=2))
    story = play(plan, script={name: [fails()] * 9 for name in "abcd"})
    assert story.order == ["a", "a", "b", "b", "c", "d"]
    assert "more than 2 tests have failed" in story.state.warnings[0]


def test_after_too_many_failures_nothing_more_starts_and_what_runs_may_finish() -> None:
    plan = a_plan(a_phase("one", "a", "b", "c"), a_phase("two", "d"), max_failures=MaxFailures(count=1))
    story = play(plan, script={"a": [fails()], "b": [Step(seconds=5)]})
    assert story.ends == {"a": "test_failures", "b": "passed", "c": "cancelled", "d": "cancelled"}
    assert story.verdict.exit_code == 1


def test_too_many_failures_can_end_what_runs_at_once() -> None:
    limit = MaxFailures(count=2, immediate=True)
    plan = a_plan(a_phase("one", "a", "b", "c", "d", required=False), workers=3, max_failures=limit)
    story = play(plan, script={"a": [fails()], "b": [fails()], "c": [Step(seconds=99)]})
    assert story.ends == {"a": "test_failures", "b": "test_failures", "c": "interrupted", "d": "cancelled"}

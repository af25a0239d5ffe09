"""What a retry is about and what it proves, told as stories on a scripted executor in virtual time."""

from dataclasses import replace

import pytest
from support.plans import a_phase, a_plan, a_test
from support.scripted import Step, fails, passes, play

from e2e_orchestrator.model.outcomes import Case, CaseStatus, Reason, because
from e2e_orchestrator.model.plan import RetryLimits, RetryPolicy, RetryStrategy

TWICE = RetryPolicy(max=2, delay=5.0)

LEFT_OUT = {
    "skipped": passes(x="skipped"),
    "skipped beside another that passed": passes(x="skipped", y="passed"),
    "as all of its cases": Step(
        verdict=because(Reason.ALL_SKIPPED), cases=(Case(id="x", status=CaseStatus.SKIPPED),)
    ),
    "an expected failure": passes(x="xfailed"),
    "not run": passes(x="not_run"),
    "gone": passes(y="passed"),
}


@pytest.mark.parametrize("second", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_a_case_that_its_retry_did_not_run_is_tried_with_all_others_and_stays_bad(second: Step) -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE)))
    story = play(plan, script={"a": [fails(x="failed", y="passed"), second, second]})
    assert story.only == [(), ("x",), ()]
    assert story.ends == {"a": "test_failures"}
    assert {one.id: str(one.status) for one in story.state.test("one/a").cases}["x"] == "failed"
    assert story.verdict.exit_code == 1


def test_a_case_that_its_retry_left_out_may_pass_among_all_others() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE)))
    first = fails(login="passed", checkout="failed")
    story = play(
        plan, script={"a": [first, passes(checkout="skipped"), passes(login="passed", checkout="passed")]}
    )
    assert story.only == [(), ("checkout",), ()]
    assert story.ends == {"a": "flaky"}


def test_a_retry_that_left_one_out_while_another_failed_is_followed_by_a_whole_one() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE)))
    first = fails(login="passed", checkout="failed", banner="failed")
    second = fails(checkout="skipped", banner="failed")
    assert play(plan, script={"a": [first, second, passes(checkout="passed", banner="passed")]}).only == [
        (), ("checkout", "banner"), (),
    ]  # fmt: skip


def test_what_a_policy_does_not_retry_it_does_not_retry_when_it_was_left_out() -> None:
    policy = RetryPolicy(max=2, delay=0.0, only_on=("x broke",))
    plan = a_plan(a_phase("one", a_test("a", retries=policy)))
    assert len(play(plan, script={"a": [fails(x="failed"), passes(x="skipped")]}).order) == 3
    other = replace(policy, only_on=("ECONNRESET", "timeout"))
    plan = a_plan(a_phase("one", a_test("a", retries=other)))
    assert len(play(plan, script={"a": [fails(Reason.TIMEOUT, x="failed"), passes(x="skipped")]}).order) == 3
    assert len(play(plan, script={"a": [fails(x="failed")]}).order) == 1


def test_a_failure_that_cases_share_is_retried_as_a_whole() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE)))
    shared = Case(id="z", status=CaseStatus.ERROR, message="a row was left", shared_failure=True)
    first = fails(x="passed", y="failed")
    first = replace(first, cases=(*first.cases, shared))
    story = play(plan, script={"a": [first, fails(x="passed", y="failed", z="passed"), passes(y="passed")]})
    assert story.only == [(), (), ("y",)]
    assert story.ends == {"a": "flaky"}


def test_what_a_tool_objects_to_beside_its_cases_is_retried_as_a_whole() -> None:
    plan = a_plan(a_phase("one", a_test("a", retries=TWICE)))
    leaky = fails(Reason.CRASH, leaks="passed", lucky="passed")
    lucky = replace(fails(leaks="passed", lucky="failed"), exit_status=7)
    story = play(plan, script={"a": [lucky, leaky, leaky]})
    assert story.only == [(), (), ()]
    assert story.ends == {"a": "crash"}


@pytest.mark.parametrize(
    ("strategy", "delay"),
    [("end_of_phase", 0.0), ("end_of_phase", 0.5), ("isolated", 0.0), ("isolated", 0.5), ("immediate", 2.5)],
)
def test_the_breaker_takes_back_the_retries_that_were_granted_before(strategy: str, delay: float) -> None:
    retries = RetryPolicy(max=1, delay=delay, strategy=RetryStrategy(strategy))
    tests = [a_test(name, retries=retries) for name in "abcd"]
    plan = a_plan(a_phase("one", *tests), workers=1, retry_limits=RetryLimits(breaker=1))
    story = play(plan, script={name: [fails()] for name in "abcd"})
    assert story.order == ["a", "b", "c", "d"]
    assert story.ends == dict.fromkeys("abcd", "test_failures")
    assert len(story.state.warnings) == 1
    assert "more than 1 tests have failed" in story.state.warnings[0]

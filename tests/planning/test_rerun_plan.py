"""What a rerun runs and what it carries over, as a table of what was and what is."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from support.plans import a_phase, a_plan, a_test

from e2e_orchestrator.errors import NothingToRun
from e2e_orchestrator.model.events import Envelope, RunStarted, TestCarriedOver, TestFinished
from e2e_orchestrator.model.isolation import Isolation
from e2e_orchestrator.model.outcomes import Reason, Verdict, because, passed
from e2e_orchestrator.model.plan import LeftOut, Plan, RunnerSpec
from e2e_orchestrator.model.service import PlannedService
from e2e_orchestrator.model.summary import RunState, fold
from e2e_orchestrator.planning.rerun import Rerun, plan_rerun
from e2e_orchestrator.planning.selection import select

PLAN = a_plan(a_phase("one", "a", "b"), a_phase("two", "c"))
FAILED = because(Reason.TEST_FAILURES, "boom")


def was(plan: Plan, ends: Mapping[str, Verdict], *, run_id: str = "first") -> RunState:
    """A run that ended so; a test without an end was still open when it died."""
    told = [RunStarted(run_id=run_id, started_at="", version="0", plan=plan)]
    told += [
        TestFinished(test=f"{one.id}", verdict=ends[one.name], duration=2.0, attempts=1)
        for one in plan.tests
        if one.name in ends
    ]
    return fold(Envelope(seq=seq, at="", mono=0.0, event=event) for seq, event in enumerate(told, start=1))


def rerun(state: RunState, full: Plan = PLAN, *, chosen: Plan | None = None, asked: bool = False) -> Rerun:
    return plan_rerun(full, chosen=chosen or full, earlier=state, asked=asked)


def runs(planned: Rerun) -> list[str]:
    return [test.name for test in planned.remaining.tests]


def carried(planned: Rerun) -> dict[str, str]:
    return {one.test: str(one.verdict.reason or one.verdict.status) for one in planned.carried}


ENDS = {
    "passed": (passed(), False),
    "passed on a retry": (because(Reason.FLAKY), False),
    "skipped by its own suite": (because(Reason.ALL_SKIPPED), False),
    "failed": (FAILED, True),
    "timed out": (because(Reason.TIMEOUT), True),
    "was interrupted": (because(Reason.INTERRUPTED), True),
    "was cancelled": (because(Reason.CANCELLED), True),
    "was blocked": (because(Reason.BLOCKED), True),
    "could not be started": (because(Reason.INFRASTRUCTURE), True),
    "was left out by its condition": (because(Reason.CONDITION), True),
}


@pytest.mark.parametrize(("end", "again"), ENDS.values(), ids=ENDS.keys())
def test_a_test_that(end: Verdict, again: bool) -> None:
    planned = rerun(was(PLAN, {"a": end, "b": passed(), "c": passed()}))
    assert runs(planned) == (["a"] if again else [])
    assert ("one/a" in carried(planned)) is not again
    assert [test.id for test in planned.plan.tests] == ["one/a", "one/b", "two/c"], "the plan is of the union"


def test_a_test_that_the_run_left_open_runs_again() -> None:
    assert runs(rerun(was(PLAN, {"a": passed()}))) == ["b", "c"]


def test_a_flaky_test_stays_flaky_and_keeps_the_run_that_ran_it() -> None:
    first = rerun(was(PLAN, {"a": because(Reason.FLAKY), "b": FAILED, "c": passed()}))
    assert {one.from_run for one in first.carried} == {"first"}
    state = was(PLAN, {"b": FAILED}, run_id="second")
    for one in first.carried:
        state.apply(Envelope(seq=9, at="", mono=0.0, event=one))
    second = rerun(state)
    assert second.of == "second"
    assert {(one.test, one.verdict.reason, one.from_run) for one in second.carried} == {
        ("one/a", Reason.FLAKY, "first"),
        ("two/c", None, "first"),
    }


def test_a_new_test_runs_and_a_removed_one_is_said() -> None:
    earlier = was(a_plan(a_phase("one", "a", "gone")), {"a": passed(), "gone": FAILED})
    planned = rerun(earlier)
    assert runs(planned) == ["b", "c"]
    assert planned.dropped == ("one/gone",)


CHANGES = {
    "another target": ({"target": "false"}, "target"),
    "other arguments": ({"args": ("-x",)}, "arguments"),
    "another kind": ({"kind": "pytest"}, "kind of runner"),
    "another folder": ({"cwd": "/elsewhere"}, "folder"),
    "a variable more": ({"env": {"API_URL": "b", "MODE": "full"}}, "API_URL, MODE"),
    "an empty variable more": ({"env": {"MODE": ""}}, "MODE"),
    "a slot of its own": ({"isolation": Isolation(directory="TMP")}, "isolation"),
}


@pytest.mark.parametrize(("change", "what"), CHANGES.values(), ids=CHANGES.keys())
def test_a_passed_test_runs_again_with(change: dict[str, object], what: str) -> None:
    changed = a_plan(a_phase("one", a_test("a", **change), "b"), a_phase("two", "c"))
    planned = rerun(was(PLAN, dict.fromkeys("abc", passed())), changed)
    assert runs(planned) == ["a"]
    assert planned.warnings == (f"not carried over, because run first had another {what}: one/a",)


def an_environment(root: str, **env: str) -> Plan:
    return a_plan(a_phase("one", a_test("a", cwd=root, env=env)), root=root)


SAME = {
    "the same value": ({"API_URL": "a"}, {"API_URL": "a"}),
    "a file of this checkout": ({"DATA": "file:///old/data"}, {"DATA": "file:///new/data"}),
    "another secret": ({"KEY": "***"}, {"KEY": "hunter2"}),
}
ANOTHER = {
    "another value": ({"API_URL": "a"}, {"API_URL": "b"}),
    "a variable less": ({"API_URL": "a"}, {}),
    "a folder that only begins like the checkout": ({"DATA": "/older"}, {"DATA": "/newer"}),
    "a folder that only ends like the checkout": ({"DATA": "/x/old"}, {"DATA": "/x/new"}),
    "no secret any more": ({"KEY": "***"}, {"KEY": "none"}),
}


@pytest.mark.parametrize(
    ("before", "now", "again"),
    [*((*pair, False) for pair in SAME.values()), *((*pair, True) for pair in ANOTHER.values())],
    ids=[*SAME, *ANOTHER],
)
def test_its_environment_has(before: dict[str, str], now: dict[str, str], again: bool) -> None:
    new = an_environment("/new", **now)
    planned = plan_rerun(
        new,
        chosen=new,
        earlier=was(an_environment("/old", **before), {"a": passed()}),
        asked=False,
        mask=lambda text: text.replace("hunter2", "***"),
    )
    assert runs(planned) == (["a"] if again else [])


def an_interpreter(root: str, python: str | None) -> Plan:
    spec = RunnerSpec(name="r", kind="command", root=root, python=python)
    return a_plan(a_phase("one", "a"), root=root, runners=(spec,))


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (an_interpreter("/old", "/old/.venv/bin/python"), []),
        (an_interpreter("/old", "/old/.other/bin/python"), ["a"]),
        (an_interpreter("/old", None), ["a"]),
        (a_plan(a_phase("one", "a"), root="/old"), []),
    ],
    ids=["the checkout's own", "another", "none named", "a journal that does not tell"],
)
def test_the_interpreter_was(before: Plan, again: list[str]) -> None:
    now = an_interpreter("/new", "/new/.venv/bin/python")
    before = replace(before, phases=(a_phase("one", a_test("a", cwd="/old")),))
    now = replace(now, phases=(a_phase("one", a_test("a", cwd="/new")),))
    assert runs(rerun(was(before, {"a": passed()}), now)) == again


def test_many_tests_that_changed_alike_are_one_sentence() -> None:
    names = "abcdefg"
    before = a_plan(a_phase("one", *names))
    now = a_plan(a_phase("one", *(a_test(name, env={"MODE": "full"}) for name in names)))
    planned = rerun(was(before, dict.fromkeys(names, passed())), now)
    said = (
        "not carried over, because run first had another MODE: one/a, one/b, one/c, one/d, one/e and 2 more"
    )
    assert planned.warnings == (said,)


def test_of_a_test_that_failed_nobody_needs_to_hear_that_it_is_another_now() -> None:
    now = a_plan(a_phase("one", a_test("a", target="false"), "b"), a_phase("two", "c"))
    assert rerun(was(PLAN, {"a": FAILED, "b": passed(), "c": passed()}), now).warnings == ()


def test_another_time_limit_or_checkout_makes_no_new_test() -> None:
    old = a_plan(a_phase("one", a_test("a", cwd="/old/suite")), root="/old")
    new = a_plan(a_phase("one", a_test("a", cwd="/new/suite", timeout=9.0)), root="/new")
    assert runs(rerun(was(old, {"a": passed()}), new)) == []


def test_a_secret_in_a_target_is_compared_as_the_journal_has_it() -> None:
    old = a_plan(a_phase("one", a_test("a", target="check ***")))
    new = a_plan(a_phase("one", a_test("a", target="check hunter2")))
    planned = plan_rerun(
        new,
        chosen=new,
        earlier=was(old, {"a": passed()}),
        asked=False,
        mask=lambda text: text.replace("hunter2", "***"),
    )
    assert runs(planned) == []


def test_what_the_earlier_run_left_out_stays_out_unless_it_is_asked_for() -> None:
    before = select(PLAN, phases=["one"])
    state = was(before, {"a": passed(), "b": FAILED})
    assert runs(rerun(state)) == ["b"]
    assert LeftOut(id="two", why="was not part of run first") in rerun(state).plan.left_out
    assert runs(rerun(state, asked=True)) == ["b", "c"]


def test_a_selection_applies_on_top_and_what_it_leaves_open_goes_on_counting() -> None:
    state = was(PLAN, {"a": FAILED, "b": passed(), "c": FAILED})
    planned = rerun(state, chosen=select(PLAN, phases=["two"]), asked=True)
    assert runs(planned) == ["c"]
    assert carried(planned) == {"one/a": "test_failures", "one/b": "passed"}


def test_an_open_test_that_is_not_selected_is_carried_over_closed() -> None:
    planned = rerun(was(PLAN, {"a": passed(), "b": passed()}), chosen=select(PLAN, tests=["a"]), asked=True)
    assert carried(planned)["two/c"] == "cancelled"


def test_a_changed_test_that_is_not_selected_does_not_count_as_passed() -> None:
    changed = a_plan(a_phase("one", "a", "b"), a_phase("two", a_test("c", target="false")))
    state = was(PLAN, dict.fromkeys("abc", passed()))
    planned = rerun(state, changed, chosen=select(changed, phases=["one"]), asked=True)
    assert runs(planned) == []
    assert carried(planned) == {"one/a": "passed", "one/b": "passed", "two/c": "blocked"}


def test_with_nothing_to_run_no_service_is_started() -> None:
    web = PlannedService(name="web", command=("serve",), cwd="/")
    served = replace(PLAN, services=(web,))
    done = dict.fromkeys("abc", passed())
    assert rerun(was(served, done), served).remaining.services == ()
    assert rerun(was(served, {**done, "a": FAILED}), served).remaining.services == (web,)


def test_a_run_of_which_nothing_is_left_is_no_run() -> None:
    left_out = (LeftOut(id="one", why=""), LeftOut(id="two", why=""))
    state = was(replace(a_plan(a_phase("old", "x")), left_out=left_out), {"x": passed()})
    with pytest.raises(NothingToRun, match="no test of run first exists any more"):
        rerun(state)


def test_the_plan_that_is_shown_says_of_every_test_why_it_does_not_run() -> None:
    planned = rerun(was(PLAN, {"a": passed(), "b": because(Reason.FLAKY), "c": FAILED}))
    assert [test.name for test in planned.shown.tests] == ["c"]
    assert {one.id: one.why for one in planned.shown.left_out} == {
        "one/a": "passed in run first",
        "one/b": "flaky in run first",
    }


def test_carried_events_name_the_tests_of_the_plan() -> None:
    planned = rerun(was(PLAN, dict.fromkeys("abc", passed())))
    assert all(isinstance(one, TestCarriedOver) for one in planned.carried)
    assert {one.test for one in planned.carried} == {test.id for test in planned.plan.tests}

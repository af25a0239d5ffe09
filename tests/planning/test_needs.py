"""Which phases come before which, and how long that takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import a_phase, a_plan, a_test
from support.scripted import Step, play
from worlds import plan_of

from e2e_orchestrator.model.plan import Plan, PlannedPhase
from e2e_orchestrator.planning.makespan import expected_makespan
from e2e_orchestrator.planning.needs import before_each, chains_after, directly_before
from e2e_orchestrator.planning.selection import select
from e2e_orchestrator.planning.sharding import split

DIAMOND = """\
runners: {r: {kind: command}}
phases:
  - {name: health, runner: r, tests: {a: "true", slow: {target: "true", tags: [t]}}}
  - {name: api, runner: r, needs: [health], tests: {b: "true"}}
  - {name: pages, runner: r, needs: [health], tests: {c: "true"}}
  - {name: report, runner: r, tests: {d: "true"}}
  - {name: lint, runner: r, needs: [], tests: {e: "true"}}
"""


@pytest.fixture
def diamond(tmp_path) -> Plan:
    return plan_of(tmp_path, DIAMOND)


def test_a_phase_waits_for_what_it_needs_and_without_a_word_for_all_above_it(diamond: Plan) -> None:
    assert before_each(diamond.phases) == {
        "health": (),
        "api": ("health",),
        "pages": ("health",),
        "report": ("health", "api", "pages"),
        "lint": (),
    }


def test_people_are_told_only_what_does_not_follow_from_the_rest(diamond: Plan) -> None:
    assert directly_before(diamond)["report"] == ("api", "pages")
    assert directly_before(diamond)["lint"] == ()


def test_a_file_in_which_no_phase_says_what_it_needs_is_planned_as_ever(tmp_path) -> None:
    plan = plan_of(tmp_path, DIAMOND.replace("needs: [health], ", "").replace("needs: [], ", ""))
    assert [phase.needs for phase in plan.phases] == [None] * 5
    assert before_each(plan.phases)["lint"] == ("health", "api", "pages", "report")


def test_what_is_not_selected_counts_as_met_and_what_is_left_keeps_its_order(diamond: Plan) -> None:
    part = select(diamond, phases=["health", "report", "lint"])
    assert before_each(part.phases) == {"health": (), "report": ("health",), "lint": ()}
    assert before_each(select(diamond, phases=["api"]).phases) == {"api": ()}


def test_a_need_may_stand_further_down(tmp_path) -> None:
    config = "runners: {r: {kind: command}}\nphases:\n" + "".join(
        f"  - {{name: {name}, runner: r, needs: [{needs}], tests: {{t: x}}}}\n"
        for name, needs in {"a": "c", "b": "", "c": "b"}.items()
    )
    assert before_each(plan_of(tmp_path, config).phases) == {"a": ("b", "c"), "b": (), "c": ("b",)}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_parts_of_all_shards_keep_the_order_of_the_whole(diamond: Plan, count: int) -> None:
    whole = before_each(diamond.phases)
    for index in range(1, count + 1):
        part, _ = split(diamond, index=index, count=count)
        names = {phase.name for phase in part.phases}
        for name, before in before_each(part.phases).items():
            assert set(before) == names.intersection(whole[name])


def test_a_chain_is_as_long_as_the_longest_way_through_it() -> None:
    before = {"a": (), "b": ("a",), "c": ("a",), "d": ("a", "b", "c"), "e": ()}
    seconds = {"a": 1.0, "b": 5.0, "c": 2.0, "d": 3.0, "e": 9.0}
    assert chains_after(before, seconds) == {"a": 8.0, "b": 3.0, "c": 3.0, "d": 0.0, "e": 0.0}


def overlapping(**fields: object) -> Plan:
    """A long chain in order beside many short tests, and something after both."""
    short = (a_test(f"s{at}", expected=1.0) for at in range(6))
    long = (a_test(f"l{at}", expected=2.0) for at in range(3))
    return a_plan(
        a_phase("short", *short, needs=()),
        a_phase("long", *long, parallel=False, needs=()),
        a_phase("last", a_test("z", expected=1.0), needs=("short", "long")),
        **fields,
    )


def test_the_bound_is_the_longest_chain_or_everything_evenly_on_all_slots() -> None:
    told = expected_makespan(overlapping(workers=2))
    assert told is not None
    assert (told.lower_bound, told.expected) == (7.0, 7.0)
    alone = expected_makespan(overlapping(workers=1))
    assert alone is not None
    assert (alone.lower_bound, alone.expected) == (13.0, 13.0)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    phases: list[PlannedPhase] = []
    for at in range(draw(st.integers(1, 5))):
        seconds = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
        needs = draw(st.none() | st.sets(st.integers(0, at - 1) if at else st.nothing()))
        # No two sums are equal: who is first of two that end together is nobody's promise.
        odd = (took + 0.0137 * at + 0.00171 * one**2 for one, took in enumerate(seconds, start=1))
        tests = (a_test(f"t{at}_{one}", expected=took) for one, took in enumerate(odd))
        phases.append(
            a_phase(
                f"p{at}",
                *tests,
                parallel=draw(st.booleans()),
                needs=None if needs is None else tuple(f"p{need}" for need in needs),
                timeout=1000.0,
            )
        )
    return a_plan(*phases, workers=draw(st.integers(1, 4)))


@given(plan=plans())
def test_what_is_expected_is_what_the_engine_does(plan: Plan) -> None:
    told = expected_makespan(plan)
    assert told is not None
    script = {test.name: [Step(seconds=test.expected or 0.0)] for test in plan.tests}
    state = play(plan, script=script).state
    assert state.mono == pytest.approx(told.expected)
    assert told.lower_bound <= told.expected * (1 + 1e-9)
    ends = {phase.name: (phase.started or 0.0) + phase.duration for phase in state.phases}
    for name, needs in before_each(plan.phases).items():
        started = state.phase(name).started or 0.0
        assert all(ends[need] <= started + 1e-9 for need in needs)

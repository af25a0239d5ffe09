"""Phases that say what they need may overlap, and everything that holds for a run still holds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.plans import a_phase, a_plan, a_test
from support.scripted import Step, Story, fails, play

from e2e_orchestrator.engine.surroundings import NoSurroundings
from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.plan import MaxFailures, RetryLimits, RetryPolicy, RetryStrategy


def spans(story: Story) -> dict[str, tuple[float, float]]:
    """Phase -> when it started and ended, for those that did."""
    return {
        phase.name: (phase.started, phase.started + phase.duration)
        for phase in story.state.phases
        if phase.started is not None
    }


def test_phases_that_need_nothing_start_together_and_share_the_slots() -> None:
    plan = a_plan(a_phase("one", "a", "b", needs=()), a_phase("two", "c", "d", needs=()), workers=3)
    story = play(plan, script={"a": [Step(seconds=5)]})
    assert story.started == [(0, "a", 0), (0, "b", 1), (0, "c", 2), (1, "d", 1)]
    assert spans(story) == {"one": (0, 5), "two": (0, 2)}


def test_a_phase_starts_when_what_it_needs_has_ended_whatever_else_runs() -> None:
    plan = a_plan(
        a_phase("one", "a", needs=()),
        a_phase("two", "b", needs=()),
        a_phase("three", "c", needs=("two",)),
        a_phase("four", "d"),
        workers=4,
    )
    story = play(plan, script={"a": [Step(seconds=9)], "b": [Step(seconds=2)]})
    assert spans(story) == {"one": (0, 9), "two": (0, 2), "three": (2, 3), "four": (9, 10)}


def test_a_sequential_phase_takes_one_slot_at_a_time_and_its_chain_goes_first() -> None:
    wide = (a_test(name, expected=1.0) for name in "abcd")
    chain = (a_test(name, expected=2.0) for name in "xyz")
    plan = a_plan(a_phase("wide", *wide, needs=()), a_phase("chain", *chain, parallel=False, needs=()))
    story = play(plan, script={name: [Step(seconds=2)] for name in "xyz"})
    assert spans(story) == {"wide": (0, 4), "chain": (0, 6)}
    assert [slot for _, name, slot in story.started if name in "xyz"] == [0, 0, 0]


def test_the_longest_way_to_the_end_goes_first() -> None:
    """There is one slot: what others wait for comes before what nobody waits for."""
    plan = a_plan(
        a_phase("beside", "a", needs=()),
        a_phase("first", "b", needs=()),
        a_phase("then", "c", "d", needs=("first",)),
        workers=1,
    )
    assert play(plan).order == ["b", "a", "c", "d"]


class OneThatTakesItsTime(NoSurroundings):
    """One phase has services that have to start; the others have none, and yet it is not done at once."""

    def phase_waits(self, name: str) -> bool:
        return name == "served"

    @asynccontextmanager
    async def phase(self, name: str) -> AsyncIterator[str | None]:
        await asyncio.sleep(5 if self.phase_waits(name) else 0)
        yield None


def test_nobody_waits_for_the_services_of_another_phase_and_yet_the_longest_way_goes_first() -> None:
    plan = a_plan(
        a_phase("served", "s", needs=()),
        a_phase("beside", "a", needs=()),
        a_phase("first", "b", needs=()),
        a_phase("then", "c", "d", needs=("first",)),
        workers=1,
    )
    story = play(plan, surroundings=OneThatTakesItsTime())
    assert story.started == [(0, "b", 0), (1, "a", 0), (2, "c", 0), (3, "d", 0), (5, "s", 0)]


def test_a_failed_required_phase_blocks_what_has_not_started_and_lets_the_others_finish() -> None:
    plan = a_plan(
        a_phase("one", "a", "b", needs=()),
        a_phase("two", "c", "d", needs=()),
        a_phase("three", "e", needs=("two",)),
    )
    story = play(plan, script={"a": [fails()], "b": [fails()], "c": [Step(seconds=3)]})
    assert story.ends == {
        "a": "test_failures", "b": "test_failures", "c": "passed", "d": "passed", "e": "blocked",
    }  # fmt: skip
    assert story.verdict.exit_code == 1
    assert "required phase 'one' failed" in (story.state.test("three/e").verdict.message or "")


def test_an_optional_phase_that_failed_is_finished_for_whoever_needs_it() -> None:
    plan = a_plan(a_phase("one", "a", needs=(), required=False), a_phase("two", "b", needs=("one",)))
    assert play(plan, script={"a": [fails()]}).ends == {"a": "test_failures", "b": "passed"}


def test_a_phase_whose_need_is_no_part_of_the_run_starts_at_once() -> None:
    assert play(a_plan(a_phase("two", "b", needs=("one",)))).ends == {"b": "passed"}


def test_max_failures_counts_over_overlapping_phases() -> None:
    plan = a_plan(
        a_phase("one", "a", "b", "c", needs=(), required=False),
        a_phase("two", "d", "e", needs=(), required=False),
        a_phase("three", "f"),
        max_failures=MaxFailures(count=2, immediate=True),
    )
    script = {"a": [fails()], "d": [fails(seconds=2)], "b": [Step(seconds=9)]}
    story = play(plan, script=script)
    assert [time for time, *_ in story.started if time > 2] == []
    assert story.ends["b"] == "interrupted"
    assert story.ends["f"] == "cancelled"
    assert story.verdict.exit_code == 1


def test_a_limit_of_one_phase_leaves_the_others_alone() -> None:
    plan = a_plan(
        a_phase("short", "a", "b", needs=(), parallel=False, timeout=3.0, required=False),
        a_phase("long", "c", needs=()),
        workers=2,
    )
    story = play(plan, script={"a": [Step(seconds=99)], "c": [Step(seconds=8)]})
    assert story.ends == {"a": "timeout", "b": "cancelled", "c": "passed"}
    assert spans(story) == {"short": (0, 3), "long": (0, 8)}


def test_the_limit_of_the_run_ends_all_of_them() -> None:
    plan = a_plan(
        a_phase("one", "a", needs=()), a_phase("two", "b", needs=()), a_phase("three", "c"), timeout=4.0
    )
    story = play(plan, script={"a": [Step(seconds=99)], "b": [Step(seconds=99)]})
    assert story.ends == {"a": "timeout", "b": "timeout", "c": "blocked"}
    assert story.state.mono == 4.0


def test_an_interrupt_ends_all_of_them() -> None:
    plan = a_plan(
        a_phase("one", "a", "x", needs=(), parallel=False),
        a_phase("two", "b", needs=()),
        a_phase("three", "c"),
    )
    script = {"a": [Step(seconds=99)], "b": [Step(seconds=99)]}
    story = play(plan, script=script, cancel_at=3.0)
    assert story.ends == {"a": "interrupted", "x": "cancelled", "b": "interrupted", "c": "cancelled"}
    assert all(phase.status in (Status.FAILED, Status.SKIPPED) for phase in story.state.phases)
    assert story.verdict.exit_code == 130


def test_an_isolated_retry_is_alone_in_the_whole_run_and_waits_for_nobody_forever() -> None:
    alone = RetryPolicy(max=1, delay=0.0, strategy=RetryStrategy.ISOLATED)
    plan = a_plan(
        a_phase("one", a_test("a", retries=alone), needs=()),
        a_phase("two", *(f"b{at}" for at in range(6)), needs=()),
        workers=2,
    )
    story = play(plan, script={"a": [fails()], "b0": [Step(seconds=4)]})
    at = next(time for time, name, _ in story.started[1:] if name == "a")
    assert at == 4, "as soon as what ran has ended, though others of the run still wait"
    assert [name for time, name, _ in story.started if at <= time < at + 1] == ["a"]
    assert story.ends == {"a": "flaky", **{f"b{one}": "passed" for one in range(6)}}


def test_an_isolated_retry_that_is_given_up_leaves_the_slots_to_the_others() -> None:
    alone = RetryPolicy(max=1, delay=0.0, strategy=RetryStrategy.ISOLATED)
    plan = a_plan(
        a_phase("one", a_test("a", retries=alone), needs=(), timeout=3.0, required=False),
        a_phase("two", "b", "c", "d", needs=()),
        workers=2,
    )
    story = play(plan, script={"a": [fails()], "b": [Step(seconds=5)]})
    assert story.ends == {"a": "test_failures", "b": "passed", "c": "passed", "d": "passed"}


def test_the_budget_of_retries_is_shared() -> None:
    once = RetryPolicy(max=1, delay=0.0)
    plan = a_plan(
        a_phase("one", a_test("a", retries=once), needs=(), required=False),
        a_phase("two", a_test("b", retries=once), needs=(), required=False),
        retry_limits=RetryLimits(budget=1),
    )
    story = play(plan, script={"a": [fails()], "b": [fails()]})
    assert sorted(story.ends.values()) == ["flaky", "test_failures"]

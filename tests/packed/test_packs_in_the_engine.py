"""What the engine makes of packs: which slots they take, what runs again, and how; without processes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from support.plans import NO_RETRY, a_phase, a_plan, a_test
from support.scripted import ScriptedExecutor, Story, fails, passes, play

from e2e_orchestrator.model.command import Deadline
from e2e_orchestrator.model.events import AttemptFinished, AttemptStarted, TestFinished, Warned
from e2e_orchestrator.model.outcomes import Attempt
from e2e_orchestrator.model.packs import Carried, Pack, PackSpec, Undecided
from e2e_orchestrator.model.plan import MaxFailures, RetryPolicy, Test
from e2e_orchestrator.protocols import Begin, Cancellation, Emit

ONCE = RetryPolicy(max=1, delay=5.0)


@dataclass(kw_only=True)
class PackingScript(ScriptedExecutor):
    """Packs ``together``; a pack is over when its longest test is. ``undecided`` are by pack, then by name."""

    together: Sequence[tuple[Sequence[str], int]] = ()
    undecided: Sequence[Mapping[str, Undecided]] = ()
    ended_for: frozenset[str] = frozenset()
    carried: list[tuple[float, list[str], tuple[int, ...]]] = field(default_factory=list)

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        known = {test.name: test for test in tests}
        return [
            Pack(tests=tuple(known[name] for name in names), width=width) for names, width in self.together
        ]

    async def carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        number = len(self.carried)
        names = [test.name for test in spec.pack.tests]
        self.carried.append((asyncio.get_running_loop().time(), names, spec.slots))
        left = self.undecided[number] if number < len(self.undecided) else {}
        found: dict[str, Attempt | Undecided] = {}

        async def one(test: Test, slot: int) -> None:
            await begin(test.id, slot)
            attempt = await self.attempt(
                test, spec.specs[test.id], deadline=deadline, cancellation=cancellation, emit=emit
            )
            found[test.id] = left.get(test.name) or attempt

        slots = spec.slots
        await asyncio.gather(*(one(test, slots[at % len(slots)]) for at, test in enumerate(spec.pack.tests)))
        return Carried(
            attempts={name: one for name, one in found.items() if isinstance(one, Attempt)},
            undecided={name: one for name, one in found.items() if isinstance(one, Undecided)},
            ended_for=self.ended_for if not number else frozenset(),
        )


def alone(story: Story) -> list[tuple[float, str]]:
    return [(when, name) for when, name, _ in story.started]


def test_a_pack_takes_all_of_its_slots_and_comes_first() -> None:
    executor = PackingScript(together=[(["b", "c", "d"], 2)])
    story = play(a_plan(a_phase("one", *"abcde"), workers=2), executor=executor)
    assert executor.carried == [(0.0, ["b", "c", "d"], (0, 1))]
    assert alone(story)[-2:] == [(1.0, "a"), (1.0, "e")]
    assert set(story.ends.values()) == {"passed"}


def test_two_packs_with_a_slot_each_run_side_by_side() -> None:
    executor = PackingScript(together=[(["a", "c"], 1), (["b", "d"], 1)])
    play(a_plan(a_phase("one", *"abcd"), workers=2), executor=executor)
    assert executor.carried == [(0.0, ["a", "c"], (0,)), (0.0, ["b", "d"], (1,))]


def test_what_a_pack_leaves_undecided_runs_alone_as_the_same_attempt() -> None:
    executor = PackingScript(
        together=[(["a", "b"], 2)], undecided=[{"b": Undecided(why="nobody saw it")}], script={"b": [fails()]}
    )
    story = play(a_plan(a_phase("one", "a", "b"), workers=2), executor=executor)
    assert story.ends == {"a": "passed", "b": "test_failures"}
    finished = [one.event for one in story.envelopes if isinstance(one.event, AttemptFinished)]
    assert [(one.test, one.attempt.number) for one in finished] == [("one/a", 1), ("one/b", 1)]
    [warned] = [one.event.message for one in story.envelopes if isinstance(one.event, Warned)]
    assert "one/b (nobody saw it)" in warned
    assert story.pauses == []


def test_without_the_suspect_the_others_share_another_pack() -> None:
    lost = Undecided(why="broken")
    first = {"a": lost, "b": Undecided(why="broken", suspect=True), "c": lost}
    executor = PackingScript(together=[(["a", "b", "c"], 2)], undecided=[first])
    story = play(a_plan(a_phase("one", *"abc"), workers=2), executor=executor)
    assert [names for _, names, _ in executor.carried] == [["a", "b", "c"], ["a", "c"]]
    assert alone(story)[-1] == (2.0, "b")
    assert set(story.ends.values()) == {"passed"}


def test_without_a_suspect_all_run_alone() -> None:
    lost = Undecided(why="broken")
    executor = PackingScript(
        together=[(["a", "b", "c"], 2)], undecided=[dict.fromkeys(["a", "b", "c"], lost)]
    )
    story = play(a_plan(a_phase("one", *"abc"), workers=2), executor=executor)
    assert len(executor.carried) == 1
    assert [name for _, name in alone(story)][3:] == ["a", "b", "c"]


def test_when_one_had_to_be_ended_the_interrupted_share_another_pack() -> None:
    lost = Undecided(why="one/a had to be ended")
    executor = PackingScript(
        together=[(["a", "b", "c"], 2)],
        undecided=[{"b": lost, "c": lost}],
        ended_for=frozenset({"one/a"}),
    )
    play(a_plan(a_phase("one", *"abc"), workers=2), executor=executor)
    assert [names for _, names, _ in executor.carried] == [["a", "b", "c"], ["b", "c"]]


def test_a_retry_is_alone_and_counts_from_the_tests_own_end() -> None:
    executor = PackingScript(
        together=[(["a", "b"], 2)], script={"a": [fails(seconds=2), passes()], "b": [passes(seconds=9)]}
    )
    plan = a_plan(a_phase("one", a_test("a", retries=ONCE), a_test("b", retries=NO_RETRY)), workers=2)
    story = play(plan, executor=executor)
    assert story.ends == {"a": "flaky", "b": "passed"}
    assert alone(story)[-1] == (14.0, "a")
    [ended] = [
        one.event
        for one in story.envelopes
        if isinstance(one.event, TestFinished) and one.event.test == "one/a"
    ]
    assert (ended.attempts, ended.duration) == (2, 8.0)


def test_every_test_of_a_pack_begins_in_the_slot_where_its_first_case_ran() -> None:
    executor = PackingScript(together=[(["a", "b"], 2)])
    story = play(a_plan(a_phase("one", "a", "b"), workers=2), executor=executor)
    begun = [one.event for one in story.envelopes if isinstance(one.event, AttemptStarted)]
    assert [(one.test, one.slot) for one in begun] == [("one/a", 0), ("one/b", 1)]


def test_a_sequential_phase_and_a_limit_of_failures_pack_nothing() -> None:
    for fields in ({"max_failures": MaxFailures(count=1)}, {}):
        executor = PackingScript(together=[(["a", "b"], 2)])
        phase = a_phase("one", "a", "b", parallel=bool(fields))
        play(a_plan(phase, workers=2, **fields), executor=executor)
        assert executor.carried == []


def test_packs_that_never_started_are_cancelled_with_the_run() -> None:
    executor = PackingScript(together=[(["a", "b"], 2), (["c", "d"], 2)], script={"a": [passes(seconds=10)]})
    story = play(a_plan(a_phase("one", *"abcd"), workers=2), executor=executor, cancel_at=3.0)
    assert story.ends == {"a": "interrupted", "b": "passed", "c": "cancelled", "d": "cancelled"}

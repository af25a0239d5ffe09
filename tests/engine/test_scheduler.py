"""The scheduler is a pure machine: properties hold for every order of events."""

from hypothesis import given
from hypothesis import strategies as st
from support.plans import a_test

from e2e_orchestrator.engine.scheduler import PhaseScheduler, Start
from e2e_orchestrator.engine.slots import Slots


@given(
    count=st.integers(0, 12),
    slots=st.integers(1, 5),
    parallel=st.booleans(),
    choices=st.lists(st.tuples(st.integers(0, 99), st.booleans()), max_size=60),
)
def test_every_test_runs_in_a_slot_of_its_own_until_all_are_settled(
    count: int, slots: int, parallel: bool, choices: list[tuple[int, bool]]
) -> None:
    tests = [a_test(str(number)) for number in range(count)]
    scheduler = PhaseScheduler(tests, slots=Slots(slots), parallel=parallel)
    running: list[Start] = []
    settled: list[str] = []
    fates = iter(choices)
    while True:
        while start := scheduler.take():
            running.append(start)
            assert start.slot == min(set(range(slots)) - {one.slot for one in running[:-1]})
        assert len(running) <= (slots if parallel else 1)
        if not running:
            break
        index, again = next(fates, (0, False))
        start = running.pop(index % len(running))
        scheduler.release(start.slot)
        if again:
            scheduler.retry(start.test)
        else:
            scheduler.settle(start.test)
            settled.append(start.test.name)
    assert scheduler.over
    assert sorted(settled) == sorted(test.name for test in tests)
    if not parallel:
        assert settled == [test.name for test in tests]


def test_what_is_given_up_never_starts() -> None:
    scheduler = PhaseScheduler([a_test("a"), a_test("b"), a_test("c")], slots=Slots(1), parallel=True)
    assert scheduler.take() == Start(test=a_test("a"), slot=0)
    assert [test.name for test in scheduler.stop()] == ["b", "c"]
    scheduler.release(0)
    scheduler.settle(a_test("a"))
    assert scheduler.take() is None
    assert scheduler.over

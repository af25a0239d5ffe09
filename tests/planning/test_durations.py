"""What a run teaches about durations, and what is made of it."""

import pytest
from support.plans import a_phase, a_plan, a_test
from support.scripted import Step, fails, play

from e2e_orchestrator.history.learning import learn
from e2e_orchestrator.model.plan import RetryPolicy
from e2e_orchestrator.planning.durations import (
    MOST_TESTS,
    RECENT,
    Durations,
    Key,
    forecast,
    percentile,
)


def key(name: str, *, phase: str = "one", target: str = "true") -> Key:
    return Key(id=f"{phase}/{name}", kind="command", target=target)


def expected(known: Durations, *tests: str, target: str = "true") -> list[float | None]:
    plan = a_plan(a_phase("one", *(a_test(name, target=target) for name in tests)))
    return [test.expected for test in forecast(plan, known).tests]


def test_a_green_test_teaches_how_long_all_of_its_attempts_took() -> None:
    again = RetryPolicy(max=1, delay=60.0)
    plan = a_plan(a_phase("one", "a", a_test("flaky", retries=again), "red"))
    script = {
        "a": [Step(seconds=2)],
        "flaky": [fails(seconds=3), Step(seconds=1)],
        "red": [fails(seconds=9)],
    }
    learned = learn(play(plan, script=script).state)
    assert learned.samples == {key("a"): (2.0,), key("flaky"): (4.0,)}, "no pauses, and nothing of a failure"


def test_the_80th_percentile_of_the_recent_runs_is_expected() -> None:
    known = Durations({key("a"): tuple(float(one) for one in range(1, 11))})
    assert expected(known, "a", "unheard_of_with_this_target") == [8.0, 8.0]
    assert expected(known, "a", target="false") == [None]


def test_a_test_of_a_renamed_phase_is_known_by_its_target() -> None:
    known = Durations({key("a", phase="before", target="x"): (3.0,), key("b", target="x"): (5.0,)})
    assert expected(known, "a", "b", target="x") == [5.0, 5.0], "the slower of both, and its own"


def test_secrets_are_looked_up_as_they_were_written_down() -> None:
    known = Durations({key("a", target="login ***"): (3.0,)})
    plan = a_plan(a_phase("one", a_test("a", target="login hunter2")))
    told = forecast(plan, known, mask=lambda text: text.replace("hunter2", "***"))
    assert told.tests[0].expected == 3.0
    assert told.tests[0].target == "login hunter2"


def test_without_memory_the_plan_stays_as_it_is() -> None:
    plan = a_plan(a_phase("one", "a"))
    assert forecast(plan, Durations()) is plan


def test_the_newest_samples_stay_and_tests_unseen_for_long_go_first() -> None:
    old = Durations({key("a"): tuple(float(one) for one in range(RECENT)), key("gone"): (1.0,)})
    both = old.merged(Durations({key("a"): (99.0,)}))
    assert both.samples[key("a")] == (*(float(one) for one in range(1, RECENT)), 99.0)
    many = Durations({key(f"t{at}"): (1.0,) for at in range(MOST_TESTS)})
    after = both.merged(many)
    assert len(after.samples) == MOST_TESTS
    assert key("gone") not in after.samples


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([], 80, None),
        ([7.0], 80, 7.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 80, 4.0),
        ([2.0, 1.0], 85, 2.0),
        ([1.0, 2.0], 50, 1.0),
    ],
)
def test_percentiles_are_values_that_were_seen(
    values: list[float], percent: int, found: float | None
) -> None:
    assert percentile(values, percent) == found

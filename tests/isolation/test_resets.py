"""When a slot's world is made anew."""

import pytest
from support.plans import a_test

from e2e_orchestrator.isolation.resets import LastUse, is_due
from e2e_orchestrator.model.command import Deadline, Limit
from e2e_orchestrator.model.isolation import Isolation, Reset

HERE, ELSEWHERE = LastUse(phase="one"), LastUse(phase="other")


@pytest.mark.parametrize(
    ("reset", "last", "number", "due"),
    [
        (Reset.PER_TEST, None, 1, False),
        (Reset.PER_TEST, HERE, 1, True),
        (Reset.PER_TEST, HERE, 2, True),
        (Reset.PER_PHASE, HERE, 1, False),
        (Reset.PER_PHASE, HERE, 2, False),
        (Reset.PER_PHASE, ELSEWHERE, 1, True),
        (Reset.ON_RETRY, HERE, 1, False),
        (Reset.ON_RETRY, HERE, 2, True),
        (Reset.ON_RETRY, None, 2, False),
        (Reset.NEVER, ELSEWHERE, 3, False),
    ],
)
def test_a_reset_is_due(reset: Reset, last: LastUse | None, number: int, due: bool) -> None:
    test = a_test("a", phase="one", isolation=Isolation(reset=reset))
    assert is_due(last, test=test, number=number) is due


def test_the_time_that_a_world_takes_is_not_the_tests_own() -> None:
    latest = Deadline(at=100.0, limit=Limit.PHASE, seconds=100.0)
    own = Deadline(at=20.0, limit=Limit.TEST, seconds=20.0, last=latest)
    assert own.later(5.0).at == 25.0
    assert own.later(90.0) is latest
    assert latest.later(5.0) is latest

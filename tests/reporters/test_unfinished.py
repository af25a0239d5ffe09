"""Named states for what a run left open."""

import pytest
from support import stories

from e2e_orchestrator.model import events
from e2e_orchestrator.model.outcomes import Reason, Status, because
from e2e_orchestrator.model.summary import fold
from e2e_orchestrator.reporters.unfinished import end_of_phase


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        pytest.param([None, None], (Status.PASSED, None), id="all passed"),
        pytest.param([None, Reason.TEST_FAILURES], (Status.FAILED, Reason.TEST_FAILURES), id="one failed"),
        pytest.param([None, Reason.CONDITION], (Status.PASSED, None), id="one skipped"),
        pytest.param([Reason.CONDITION, Reason.CONDITION], (Status.SKIPPED, None), id="all skipped"),
        pytest.param([None], (Status.FAILED, Reason.INTERRUPTED), id="one never ended"),
    ],
)
def test_a_phase_whose_end_nobody_told(
    verdicts: list[Reason | None], expected: tuple[Status, Reason | None]
) -> None:
    tests = [stories.a_test("phase", "one"), stories.a_test("phase", "two")]
    story = stories.Story().start(stories.a_plan(stories.a_phase("phase", *tests)))
    story.tell(events.PhaseStarted(phase="phase")).wait(2.0)
    for test, reason in zip(tests, verdicts, strict=False):
        story.end_test(test, because(reason) if reason else None)
    run = fold(story.envelopes)
    ending = end_of_phase(run.phases[0], run=run)
    assert (ending.status, ending.reason) == expected
    assert ending.duration == 2.0

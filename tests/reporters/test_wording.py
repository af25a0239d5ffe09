"""The sentence at the end, and the words on the way there."""

import pytest
from support import stories

from e2e_orchestrator.model.events import CancelRequested, Envelope, RunFinished
from e2e_orchestrator.model.outcomes import Reason, because
from e2e_orchestrator.model.summary import fold
from e2e_orchestrator.reporters.wording import (
    REASON_WORDS,
    count,
    duration,
    last_sentence,
    listing,
    outcome,
)


def ending(exit_code: int, why: str = "because") -> list[Envelope]:
    finished = RunFinished(exit_code=exit_code, success=exit_code == 0, duration=1.0, why=why)
    return stories.Story().start(stories.a_plan()).tell(finished).envelopes


def one_left_out() -> list[Envelope]:
    tests = [stories.a_test("phase", "one"), stories.a_test("phase", "two")]
    story = stories.Story().start(stories.a_plan(stories.a_phase("phase", *tests)))
    story.end_test(tests[0]).end_test(tests[1], because(Reason.CONDITION, "CI is not set"))
    return story.end_phase("phase").end()


def after_the_signal() -> list[Envelope]:
    """An interrupted run that was killed while it ended."""
    envelopes = stories.interrupted()
    signal = next(one.seq for one in envelopes if isinstance(one.event, CancelRequested))
    return envelopes[:signal]


@pytest.mark.parametrize(
    ("envelopes", "expected"),
    [
        pytest.param(stories.green(), "GO: 7 tests passed in 4 phases (10.3 s)", id="all passed"),
        pytest.param(
            stories.flaky(),
            "GO: 6 tests passed in 4 phases, 1 flaky, 1 optional phase failed: performance (44.8 s)",
            id="go in spite of a flaky test and an optional phase",
        ),
        pytest.param(
            one_left_out(),
            "GO: 1 test passed in 1 phase, 1 skipped (0.0 s)",
            id="go in spite of a skipped test",
        ),
        pytest.param(
            stories.red(),
            "NO GO: 1 required phase failed: backend_smoke (exit code 1)",
            id="a required phase failed",
        ),
        pytest.param(
            stories.gate_failed(),
            "NO GO: 1 flaky test, and flaky tests are not allowed (exit code 3)",
            id="a gate did not hold",
        ),
        pytest.param(
            stories.empty(),
            "NO GO: nothing to run: --test nothing* matches no test (exit code 4)",
            id="nothing to run",
        ),
        pytest.param(
            stories.service_failed(),
            "NO GO: the environment failed, not the tests: the service api never became ready (exit code 5)",
            id="a service never became ready",
        ),
        pytest.param(
            stories.never_started(),
            "NO GO: refused by a safeguard: DATABASE_URL looks like production (exit code 6)",
            id="refused",
        ),
        pytest.param(
            stories.interrupted(),
            "NO GO: interrupted by SIGINT, 2 of 7 tests ended (exit code 130)",
            id="interrupted",
        ),
        pytest.param(
            ending(143), "NO GO: terminated by SIGTERM, 0 of 0 tests ended (exit code 143)", id="terminated"
        ),
        pytest.param(
            ending(70),
            "NO GO: e2e-orchestrate itself failed, please report it: because (exit code 70)",
            id="a bug of ours",
        ),
        pytest.param(ending(1), "NO GO: because (exit code 1)", id="no phase to blame"),
        pytest.param(ending(1, ""), "NO GO: a required phase failed (exit code 1)", id="no reason at all"),
        pytest.param(ending(99, ""), "NO GO: the run failed (exit code 99)", id="a code of the future"),
        pytest.param(
            stories.our_crash(), "NO GO: the run did not finish, 2 of 7 tests ended", id="no end at all"
        ),
        pytest.param(
            after_the_signal(),
            "NO GO: the run did not finish, 2 of 7 tests ended: SIGINT",
            id="no end after a cancellation",
        ),
    ],
)
def test_the_last_sentence(envelopes: list[Envelope], expected: str) -> None:
    sentence = last_sentence(fold(envelopes))
    assert sentence.text == expected
    assert sentence.go is expected.startswith("GO")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0.0s"), (0.04, "0.0s"), (59.94, "59.9s"), (59.96, "1m 00s"), (65, "1m 05s"), (7380, "2h 03m")],
)
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


def test_counts_have_a_plural() -> None:
    assert (count(1, "test"), count(0, "test")) == ("1 test", "0 tests")


def test_a_long_list_says_how_many_more() -> None:
    assert listing(["a", "b"]) == "a, b"
    assert listing(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_every_reason_has_words() -> None:
    assert set(REASON_WORDS) == set(Reason)


@pytest.mark.parametrize(
    ("envelopes", "test", "expected"),
    [
        pytest.param(stories.green(), "backend_smoke/login", "3 cases", id="passed"),
        pytest.param(
            stories.flaky(), "backend_smoke/login", "flaky: passed on attempt 2, 4 cases, 1 flaky", id="flaky"
        ),
        pytest.param(
            stories.red(), "backend_smoke/login", "2 of 5 cases failed after 2 attempts", id="failed twice"
        ),
        pytest.param(stories.red(), "backend_smoke/tips", "crashed", id="crashed"),
        pytest.param(stories.red(), "frontend/pages", "blocked", id="blocked"),
    ],
)
def test_the_outcome_of_a_test(envelopes: list[Envelope], test: str, expected: str) -> None:
    run = fold(envelopes)
    assert outcome(run.test(test), run=run) == expected

"""Cases of several attempts as one list."""

import pytest

from e2e_orchestrator.model.merge import merge_cases
from e2e_orchestrator.model.outcomes import Attempt, Case, CaseStatus, passed

STORIES = {
    "a single attempt is taken as it is": ([{"a": "passed", "b": "failed"}], {"a": "passed", "b": "failed"}),
    "bad then good is flaky": ([{"a": "failed"}, {"a": "passed"}], {"a": "flaky"}),
    "a crash then good is flaky": ([{"a": "error"}, {"a": "passed"}], {"a": "flaky"}),
    "good then bad is bad": ([{"a": "passed"}, {"a": "failed"}], {"a": "failed"}),
    "bad every time is bad": ([{"a": "failed"}, {"a": "error"}], {"a": "error"}),
    "bad and then gone stays bad": ([{"a": "failed"}, {"b": "passed"}], {"a": "failed", "b": "passed"}),
    "bad and then not run stays bad": ([{"a": "failed"}, {"a": "not_run"}], {"a": "failed"}),
    "good and then not run stays good": ([{"a": "passed"}, {"a": "not_run"}], {"a": "passed"}),
    "not run and then good is plainly good": ([{"a": "not_run"}, {"a": "passed"}], {"a": "passed"}),
    "bad and then skipped stays bad": ([{"a": "failed"}, {"a": "skipped"}], {"a": "failed"}),
    "an error and then skipped stays an error": ([{"a": "error"}, {"a": "skipped"}], {"a": "error"}),
    "a timeout and then skipped stays a timeout": ([{"a": "timeout"}, {"a": "skipped"}], {"a": "timeout"}),
    "bad and then an expected failure stays bad": ([{"a": "failed"}, {"a": "xfailed"}], {"a": "failed"}),
    "bad and then an unexpected pass is flaky": ([{"a": "failed"}, {"a": "xpassed"}], {"a": "flaky"}),
    "bad and then good at its tool's second try is flaky": (
        [{"a": "failed"}, {"a": "flaky"}],
        {"a": "flaky"},
    ),
    "bad, skipped, and then good is flaky": (
        [{"a": "failed"}, {"a": "skipped"}, {"a": "passed"}],
        {"a": "flaky"},
    ),
    "bad, good, and then skipped is flaky": (
        [{"a": "failed"}, {"a": "passed"}, {"a": "skipped"}],
        {"a": "flaky"},
    ),
    "bad, skipped, and then bad is bad": (
        [{"a": "failed"}, {"a": "skipped"}, {"a": "error"}],
        {"a": "error"},
    ),
    "good and then skipped stays good": ([{"a": "passed"}, {"a": "skipped"}], {"a": "passed"}),
    "skipped and then good is good": ([{"a": "skipped"}, {"a": "passed"}], {"a": "passed"}),
    "skipped and then bad is bad": ([{"a": "skipped"}, {"a": "failed"}], {"a": "failed"}),
    "not run and then skipped is skipped": ([{"a": "not_run"}, {"a": "skipped"}], {"a": "skipped"}),
    "skipped and then an expected failure is that": ([{"a": "skipped"}, {"a": "xfailed"}], {"a": "xfailed"}),
    "once flaky, always flaky": ([{"a": "failed"}, {"a": "passed"}, {"a": "passed"}], {"a": "flaky"}),
    "taking turns is flaky and failed": (
        [{"a": "failed", "b": "passed"}, {"a": "passed", "b": "failed"}],
        {"a": "flaky", "b": "failed"},
    ),
}


@pytest.mark.parametrize(("attempts", "expected"), STORIES.values(), ids=STORIES.keys())
def test_merging(attempts: list[dict[str, str]], expected: dict[str, str]) -> None:
    made = [
        Attempt(
            number=number,
            started_at="",
            duration=0,
            slot=0,
            verdict=passed(),
            cases=tuple(Case(id=name, status=CaseStatus(word)) for name, word in cases.items()),
        )
        for number, cases in enumerate(attempts, start=1)
    ]
    assert {case.id: str(case.status) for case in merge_cases(made)} == expected


def test_a_flaky_case_keeps_the_message_of_its_first_failure() -> None:
    story = [
        (CaseStatus.FAILED, "the first reason"),
        (CaseStatus.ERROR, "the second"),
        (CaseStatus.PASSED, None),
    ]
    attempts = [
        Attempt(
            number=number,
            started_at="",
            duration=0,
            slot=0,
            verdict=passed(),
            cases=(Case(id="a", status=status, message=message),),
        )
        for number, (status, message) in enumerate(story, start=1)
    ]
    assert [merge_cases(attempts[:count])[0].message for count in (1, 2, 3)] == [
        "the first reason",
        "the second",
        "the first reason",
    ]

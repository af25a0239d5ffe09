"""Whatever the tests of a plan do and whenever it is cancelled: each of them ends in a named state."""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.plans import a_phase, a_plan, a_test
from support.scripted import Step, Story, play

from e2e_orchestrator.model.events import (
    AttemptFinished,
    AttemptStarted,
    Envelope,
    PhaseFinished,
    TestFinished,
    decode,
    encode,
)
from e2e_orchestrator.model.merge import merge_cases
from e2e_orchestrator.model.names import file_name
from e2e_orchestrator.model.outcomes import (
    STATUS_OF,
    Attempt,
    Case,
    CaseStatus,
    Reason,
    Status,
    because,
    passed,
)
from e2e_orchestrator.model.plan import MaxFailures, Plan, RetryPolicy
from e2e_orchestrator.model.summary import fold

TRIED = [
    *(Reason.TEST_FAILURES, Reason.CRASH, Reason.COLLECTION_ERROR, Reason.EVIDENCE_MISSING, Reason.NO_TESTS),
    *(Reason.INFRASTRUCTURE, Reason.USAGE_ERROR, Reason.ALL_SKIPPED, Reason.FLAKY),
]
CASES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(list(CaseStatus)), max_size=4).map(
    lambda states: tuple(Case(id=name, status=status) for name, status in states.items())
)
SECONDS = st.floats(min_value=0, max_value=30, allow_nan=False)
STEP = st.builds(
    Step, verdict=st.just(passed()) | st.sampled_from(TRIED).map(because), seconds=SECONDS, cases=CASES
)
RETRIES = st.builds(RetryPolicy, max=st.integers(0, 2), delay=st.floats(0, 5))
LIMITS = st.none() | st.builds(MaxFailures, count=st.integers(1, 3), immediate=st.booleans())


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    phases = []
    for number in range(draw(st.integers(1, 3))):
        tests = [
            a_test(f"t{number}{at}", retries=draw(RETRIES), timeout=draw(st.none() | st.floats(1, 40)))
            for at in range(draw(st.integers(1, 4)))
        ]
        fields: Mapping[str, Any] = {
            "parallel": draw(st.booleans()),
            "required": draw(st.booleans()),
            "timeout": draw(st.floats(1, 60)),
        }
        phases.append(a_phase(f"p{number}", *tests, **fields))
    return a_plan(
        *phases,
        workers=draw(st.integers(1, 3)),
        timeout=draw(st.floats(1, 100)),
        max_failures=draw(LIMITS),
    )


SCRIPTS = st.dictionaries(
    st.sampled_from([f"t{phase}{at}" for phase in range(3) for at in range(4)]), st.lists(STEP, max_size=3)
)
CANCELLED = st.none() | st.floats(min_value=0, max_value=60, allow_nan=False)


@given(plan=plans(), script=SCRIPTS, cancel_at=CANCELLED)
def test_every_planned_test_ends_once_in_a_named_state(
    plan: Plan, script: dict[str, list[Step]], cancel_at: float | None
) -> None:
    story = play(plan, script=script, cancel_at=cancel_at)
    planned = [test.id for phase in plan.phases for test in phase.tests]
    states = {state.test.id: state.verdict for state in story.state.tests}
    assert list(states) == planned
    legal = {(Status.PASSED, None), *((status, reason) for reason, status in STATUS_OF.items())}
    assert {(verdict.status, verdict.reason) for verdict in states.values()} <= legal
    ended = [one.event.test for one in story.envelopes if isinstance(one.event, TestFinished)]
    assert sorted(ended) == sorted(planned)
    assert story.state.done == len(planned)
    by_status = Counter(verdict.status for verdict in states.values())
    assert by_status[Status.PASSED] + by_status[Status.FAILED] + by_status[Status.SKIPPED] == len(planned)
    _nothing_is_left_open(story, plan)


def _nothing_is_left_open(story: Story, plan: Plan) -> None:
    begun = Counter(one.event.test for one in story.envelopes if isinstance(one.event, AttemptStarted))
    ended = Counter(one.event.test for one in story.envelopes if isinstance(one.event, AttemptFinished))
    assert begun == ended
    assert all(begun[test.id] <= test.retries.max + 1 for phase in plan.phases for test in phase.tests)
    finished = [one.event.phase for one in story.envelopes if isinstance(one.event, PhaseFinished)]
    assert sorted(finished) == sorted(phase.name for phase in plan.phases)
    assert [one.seq for one in story.envelopes] == list(range(1, len(story.envelopes) + 1))


@given(plan=plans(), script=SCRIPTS, cancel_at=CANCELLED)
def test_success_means_that_no_test_of_a_required_phase_is_bad_or_left_out(
    plan: Plan, script: dict[str, list[Step]], cancel_at: float | None
) -> None:
    story = play(plan, script=script, cancel_at=cancel_at)
    harmless = {None, Reason.FLAKY, Reason.ALL_SKIPPED}
    required = [test for phase in story.state.phases if phase.required for test in phase.tests]
    if story.verdict.success:
        assert {test.verdict.reason for test in required} <= harmless
        assert story.state.cancelled != "SIGINT"
    assert story.verdict.success == (story.verdict.exit_code == 0)


@given(plan=plans(), script=SCRIPTS, cancel_at=CANCELLED, seed=st.integers())
def test_the_fold_takes_the_events_in_any_order_and_at_any_length(
    plan: Plan, script: dict[str, list[Step]], cancel_at: float | None, seed: int
) -> None:
    first, *others = play(plan, script=script, cancel_at=cancel_at).envelopes
    random.Random(seed).shuffle(others)
    state = fold([first])
    total = len(list(state.tests))
    for envelope in others:
        state.apply(envelope)
        assert 0 <= state.done <= total
        assert len(state.running) + state.done <= total
        assert all(sum(test.counts.values()) >= 0 for test in state.tests)


@given(plan=plans(), script=SCRIPTS, cancel_at=CANCELLED)
def test_every_event_is_the_same_after_it_was_written_and_read(
    plan: Plan, script: dict[str, list[Step]], cancel_at: float | None
) -> None:
    story = play(plan, script=script, cancel_at=cancel_at)
    copies: list[Envelope] = [decode(encode(one)) for one in story.envelopes]
    assert copies == story.envelopes


def an_attempt(cases: tuple[Case, ...]) -> Attempt:
    return Attempt(number=1, started_at="", duration=0.0, verdict=passed(), slot=0, cases=cases)


def ends(cases: tuple[Case, ...]) -> dict[str, CaseStatus]:
    return {case.id: case.status for case in cases}


ATTEMPTS = st.lists(CASES.map(an_attempt), max_size=4)


@given(ATTEMPTS)
def test_merging_what_is_merged_changes_nothing(attempts: list[Attempt]) -> None:
    merged = merge_cases(attempts)
    assert merge_cases([an_attempt(merged)]) == merged
    assert merge_cases([an_attempt(merged), an_attempt(merged)]) == merged


@given(ATTEMPTS, ATTEMPTS, ATTEMPTS)
def test_attempts_may_be_merged_in_any_groups(
    early: list[Attempt], middle: list[Attempt], late: list[Attempt]
) -> None:
    whole = ends(merge_cases([*early, *middle, *late]))
    begin, end = merge_cases([*early, *middle]), merge_cases([*middle, *late])
    assert ends(merge_cases([an_attempt(begin), *late])) == whole
    assert ends(merge_cases([*early, an_attempt(end)])) == whole


@given(ATTEMPTS)
def test_a_case_is_never_plainly_good_once_it_was_bad(attempts: list[Attempt]) -> None:
    bad = {case.id for attempt in attempts for case in attempt.cases if case.bad}
    merged = merge_cases(attempts)
    assert {case.id for case in merged} == {case.id for attempt in attempts for case in attempt.cases}
    assert not [
        case for case in merged if case.id in bad and not case.bad and case.status != CaseStatus.FLAKY
    ]


@given(ATTEMPTS)
def test_a_case_is_flaky_only_if_it_passed_after_it_was_bad(attempts: list[Attempt]) -> None:
    passes = {CaseStatus.PASSED, CaseStatus.XPASSED}
    for case in merge_cases(attempts):
        seen = [one for attempt in attempts for one in attempt.cases if one.id == case.id]
        mended = any(
            early.bad and late.status in passes for at, early in enumerate(seen) for late in seen[at + 1 :]
        )
        own = any(one.status is CaseStatus.FLAKY for one in seen)
        assert case.status is not CaseStatus.FLAKY or mended or own


@given(st.lists(st.text(min_size=1, max_size=150), unique=True, max_size=5))
def test_a_name_becomes_one_harmless_path_component_and_no_two_the_same(names: list[str]) -> None:
    made = [file_name(name) for name in names]
    assert len(set(made)) == len(names)
    for one in made:
        assert 0 < len(one.encode()) <= 200
        assert one.strip(".")
        assert not {"/", "\\", "\0", "\n", ":"} & set(one)


@given(st.sampled_from("/\\ :*?\n"), st.text(alphabet="ab_", min_size=1, max_size=4), st.integers(1, 400))
def test_names_that_differ_in_one_unsafe_letter_get_different_folders(
    letter: str, word: str, times: int
) -> None:
    assert file_name(f"{word * times}{letter}x") != file_name(f"{word * times}_x")

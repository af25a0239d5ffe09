"""Is a failed test tried again, which of its cases, and what are its attempts worth together?"""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from e2e_orchestrator.model.merge import merge_cases
from e2e_orchestrator.model.outcomes import Attempt, CaseStatus, Reason, Verdict, because
from e2e_orchestrator.model.plan import RetryLimits, RetryPolicy
from e2e_orchestrator.model.shortened import shortened

# A second attempt cannot change these: the same arguments are refused again, the same tool is missing.
FUTILE = frozenset({Reason.USAGE_ERROR, Reason.INFRASTRUCTURE, Reason.INTERRUPTED, Reason.NO_TESTS})
# What cases that failed account for; pytest ends with 2 if they stopped it early.
_FOR_CASES = frozenset({None, 0, 1, 2})
_DID = {
    CaseStatus.SKIPPED: "skipped it",
    CaseStatus.XFAILED: "failed in it as expected, which is no pass",
}


def wants_retry(attempts: Sequence[Attempt], policy: RetryPolicy) -> bool:
    """Whether the policy allows one more attempt after these.

    A test that ran into its limit twice in a row would only cost its limit again. One whose last attempt did
    not run what had failed before it is tried again like the attempt that failed.
    """
    if not conclude(attempts).failed or attempts[-1].number > policy.max:
        return False
    attempt = next(one for one in reversed(attempts) if one.verdict.failed)
    if attempt.verdict.reason in FUTILE and not attempt.renewed:
        return False
    if [one.verdict.reason for one in attempts[-2:]] == [Reason.TIMEOUT, Reason.TIMEOUT]:
        return False
    texts = _what_failed(attempt)
    if any(_matches(rule, texts) for rule in policy.never_on):
        return False
    return not policy.only_on or any(_matches(rule, texts) for rule in policy.only_on)


def cases_to_retry(attempts: Sequence[Attempt]) -> tuple[str, ...]:
    """The cases that failed and those that were never reached; empty if the whole test has to run again.

    After a crash, a timeout or a collection error nobody knows what the rest would have done. A failure that
    cases share is only repeated by all of them, and so is what a tool objects to beside its cases, and tells
    by an exit status of its own. And a case that was left out when it was tried again (it
    depends on another one, which was not) needs the others.
    """
    last = attempts[-1]
    bad = [case for case in last.cases if case.bad]
    if last.verdict.reason is not Reason.TEST_FAILURES or not bad or last.exit_status not in _FOR_CASES:
        return ()
    chosen = tuple(case.id for case in last.cases if case.bad or case.status is CaseStatus.NOT_RUN)
    if any(case.shared_failure for case in bad) or not _outstanding(attempts).keys() <= set(chosen):
        return ()
    return chosen


def delay_before(
    retry: int, policy: RetryPolicy, *, uniform: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds to wait before retry number ``retry``, counted from 1."""
    seconds = min(policy.delay * policy.factor ** (retry - 1), policy.max_delay)
    return seconds * (1 - uniform(0.0, policy.jitter)) if policy.jitter else seconds


def conclude(attempts: Sequence[Attempt]) -> Verdict:
    """The verdict over all attempts of a test.

    A pass after a failure is flaky. It stays a failure if a case that failed in an earlier attempt, or
    was never reached, did not come back or was skipped: nobody has seen it pass.
    """
    last = attempts[-1].verdict
    if len(attempts) == 1 or last.failed:
        return last
    lost = list(_outstanding(attempts))
    if lost:
        ends = {case.id: case.status for case in attempts[-1].cases}
        did = _DID.get(ends.get(lost[0], CaseStatus.NOT_RUN), "did not run it again")
        return because(
            Reason.TEST_FAILURES,
            f"did not pass before, and the last attempt {did}: {shortened(lost, most=1)}",
        )
    if last.reason is Reason.ALL_SKIPPED:
        return because(Reason.TEST_FAILURES, "failed before, and the last attempt skipped every case")
    return because(Reason.FLAKY, f"passed on attempt {attempts[-1].number}")


def _outstanding(attempts: Sequence[Attempt]) -> dict[str, None]:
    """Of all attempts: the cases that nobody has seen pass since they failed, or that nobody has run."""
    return {case.id: None for case in merge_cases(attempts) if case.bad or case.status is CaseStatus.NOT_RUN}


@dataclass(slots=True)
class RunRetries:
    """The limits that all tests of a run share, and what is used up of them."""

    limits: RetryLimits
    spent: int = 0
    said: set[str] = field(default_factory=set)
    _failed: set[str] = field(default_factory=set)

    def failed(self, test: str) -> None:
        """Counts a test once, however often it fails."""
        self._failed.add(test)

    def tripped(self) -> str | None:
        """Why not even the retries that were granted before take place; None as long as they do."""
        breaker = self.limits.breaker
        if breaker is None or len(self._failed) <= breaker:
            return None
        return f"more than {breaker} tests have failed: retrying would hide one cause behind many attempts"

    def refusal(self) -> str | None:
        """Why nothing is retried any more; None as long as retries are allowed."""
        budget = self.limits.budget
        if tripped := self.tripped():
            return tripped
        if budget is not None and self.spent >= budget:
            return f"the run's budget of {budget} retries is used up"
        return None


def _what_failed(attempt: Attempt) -> tuple[str, ...]:
    """The reason's name, and every message of the failure."""
    messages = [case.message for case in attempt.cases if case.bad and case.message]
    return (str(attempt.verdict.reason), attempt.verdict.message or "", *messages)


def _matches(rule: str, texts: Iterable[str]) -> bool:
    """A reason is matched by its whole name, a message by a regular expression."""
    reason, *messages = texts
    if rule in set(Reason):
        return rule == reason
    return any(re.search(rule, message) for message in messages)

"""The cases of several attempts as one list: nothing hidden by a retry, nothing counted twice."""

from collections.abc import Iterable
from dataclasses import replace

from e2e_orchestrator.model.outcomes import Attempt, Case, CaseStatus

_GOOD = frozenset(
    {CaseStatus.PASSED, CaseStatus.FLAKY, CaseStatus.XFAILED, CaseStatus.XPASSED, CaseStatus.SKIPPED}
)


def merge_cases(attempts: Iterable[Attempt]) -> tuple[Case, ...]:
    """One case per id, in order of first appearance.

    The last attempt that finished a case decides. A case that was bad and got good is ``flaky`` and
    keeps its first message. A bad case that a later attempt does not know, or did not get to, stays
    bad: a retry that ran nothing cannot absolve it.
    """
    merged: dict[str, Case] = {}
    first_bad: dict[str, Case] = {}
    for attempt in attempts:
        for case in attempt.cases:
            before = merged.get(case.id)
            if before is None or case.status is not CaseStatus.NOT_RUN:
                merged[case.id] = case
            if case.bad or case.status is CaseStatus.FLAKY:
                first_bad.setdefault(case.id, case)
    return tuple(_with_its_past(case, first_bad.get(case.id)) for case in merged.values())


def _with_its_past(case: Case, first_bad: Case | None) -> Case:
    if first_bad is None or case.status not in _GOOD:
        return case
    return replace(case, status=CaseStatus.FLAKY, message=first_bad.message)

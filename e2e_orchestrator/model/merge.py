"""The cases of several attempts as one list: nothing hidden by a retry, nothing counted twice."""

from collections.abc import Iterable
from dataclasses import replace

from e2e_orchestrator.model.outcomes import Attempt, Case, CaseStatus

_PASSES = frozenset({CaseStatus.PASSED, CaseStatus.XPASSED, CaseStatus.FLAKY})
_SAYS_NOTHING = frozenset({CaseStatus.NOT_RUN, CaseStatus.SKIPPED, CaseStatus.XFAILED})


def merge_cases(attempts: Iterable[Attempt]) -> tuple[Case, ...]:
    """One case per id, in order of first appearance.

    The last attempt in which a case passed or failed decides. A case that was bad and passed afterwards is
    ``flaky`` and keeps its first message. A bad case that a later attempt skipped, expected to fail, did not
    get to or does not know stays bad: nobody has seen it pass.
    """
    merged: dict[str, Case] = {}
    first_bad: dict[str, Case] = {}
    for attempt in attempts:
        for case in attempt.cases:
            before = merged.get(case.id)
            if before is None or not _outweighs(before.status, case.status):
                merged[case.id] = case
            if case.bad or case.status is CaseStatus.FLAKY:
                first_bad.setdefault(case.id, case)
    return tuple(_with_its_past(case, first_bad.get(case.id)) for case in merged.values())


def _outweighs(before: CaseStatus, later: CaseStatus) -> bool:
    """Whether the later status cannot replace the one before."""
    if later is CaseStatus.NOT_RUN:
        return True
    return later in _SAYS_NOTHING and before not in _SAYS_NOTHING


def _with_its_past(case: Case, first_bad: Case | None) -> Case:
    if first_bad is None or case.status not in _PASSES:
        return case
    return replace(case, status=CaseStatus.FLAKY, message=first_bad.message)

"""Of what an attempt left, only what is still there: a report that could not be masked was removed."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from e2e_orchestrator.model.outcomes import Attachment, Attempt


def still_there(attempt: Attempt, *, root: Path) -> Attempt:
    """The attempt without attachments whose file is gone, so that no report links to nothing."""

    def kept(attachments: Iterable[Attachment]) -> tuple[Attachment, ...]:
        return tuple(one for one in attachments if (root / one.path).exists())

    cases = tuple(
        replace(case, attachments=kept(case.attachments)) if case.attachments else case
        for case in attempt.cases
    )
    return replace(attempt, cases=cases, attachments=kept(attempt.attachments))

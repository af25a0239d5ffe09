"""Pictures among the files of attempts: no mask can cover a secret in them, so a plan may withhold them."""

import mimetypes
from dataclasses import replace

from e2e_orchestrator.model.outcomes import Attachment, Attempt


def is_picture(file: Attachment) -> bool:
    """By its name as well: whoever attached it may have said nothing about its type."""
    told = mimetypes.guess_type(file.path)[0] or ""
    return file.content_type.startswith("image/") or told.startswith("image/")


def without_pictures(attempt: Attempt) -> Attempt:
    """The attempt as if it had left none."""
    if not any(map(is_picture, _files(attempt))):
        return attempt
    cases = tuple(replace(case, attachments=_others(case.attachments)) for case in attempt.cases)
    return replace(attempt, attachments=_others(attempt.attachments), cases=cases)


def _files(attempt: Attempt) -> list[Attachment]:
    return [*attempt.attachments, *(one for case in attempt.cases for one in case.attachments)]


def _others(files: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    return tuple(one for one in files if not is_picture(one))

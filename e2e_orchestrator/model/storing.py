"""What is known of artifacts that were put into a bucket."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from e2e_orchestrator.model.outcomes import Attachment, Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file of the output folder (``path``, as in its attachment), and the address of its copy."""

    path: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactsStored:
    """An event: these files of an attempt are in the bucket. May come before its AttemptFinished."""

    test: str
    attempt: int
    stored: tuple[Stored, ...]
    type: Literal["artifacts_stored"] = "artifacts_stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactsAwaited:
    """An event: the tests are over, and so many files of so many bytes are still on their way to ``address``.

    The run waits for them for ``seconds`` more, at most.
    """

    files: int
    size: int
    address: str
    seconds: float
    type: Literal["artifacts_awaited"] = "artifacts_awaited"


def with_urls(attempt: Attempt, urls: Mapping[str, str]) -> Attempt:
    """The attempt whose attachments know the addresses of their copies."""

    def known(attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
        return tuple(replace(one, url=urls.get(one.path, one.url)) for one in attachments)

    if not urls:
        return attempt
    return replace(
        attempt,
        attachments=known(attempt.attachments),
        cases=tuple(
            replace(case, attachments=known(case.attachments)) if case.attachments else case
            for case in attempt.cases
        ),
    )

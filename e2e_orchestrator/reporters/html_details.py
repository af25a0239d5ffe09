"""What belongs to one test's page: attempts with their messages, output, files. The page unpacks it when it is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from e2e_orchestrator.model.outcomes import Attachment, Attempt, Case
from e2e_orchestrator.model.summary import TestState
from e2e_orchestrator.process.came import SUFFIX, Times, times_of
from e2e_orchestrator.process.output import tail_of
from e2e_orchestrator.reporters.groups import signature
from e2e_orchestrator.reporters.html_data import LETTERS, ms
from e2e_orchestrator.reporters.paths import line_of
from e2e_orchestrator.safety.regular import open_regular

Json = dict[str, Any]  # A tree of plain JSON values.

PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
_OUTPUT_OF_BAD, _OUTPUT_OF_GOOD = 256 << 10, 8 << 10
_LOG = 64 << 10
_LARGEST_PICTURE = 3 << 20
_UNREADABLE = (
    OSError,
    ValueError,
    RuntimeError,
    OverflowError,
)  # A null byte, links in a circle, an absurd place.


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The files of a run, by their paths in events; nothing outside ``root`` is ever read."""

    root: Path

    def read(self, path: str, *, most: int) -> tuple[bytes, int] | None:
        """At most so many bytes, the ends of what is longer, and the whole size; None if it cannot be read."""
        try:
            with self._opened(path) as file:
                size = file.seek(0, 2)
                file.seek(0)
                if size <= most:
                    return file.read(most), size
                head = file.read(most // 4)
                file.seek(size - (most - most // 4))
                return head + f"\n[… {size - most} bytes cut …]\n".encode() + file.read(most), size
        except _UNREADABLE:
            return None

    def part(self, path: str, begin: int, end: int) -> bytes | None:
        """The bytes from one place to another, as far as there are any; None if the file cannot be read."""
        try:
            with self._opened(path) as file:
                file.seek(begin)
                return file.read(end - begin)
        except _UNREADABLE:
            return None

    def times(self, path: str, *, begin: int, end: int) -> Times:
        """When those bytes of a log came, as far as it was noted."""
        try:
            return times_of(self._inside(path + SUFFIX), begin=begin, end=end)
        except _UNREADABLE:
            return Times()

    def _opened(self, path: str) -> BinaryIO:
        return open_regular(self._inside(path))

    def _inside(self, path: str) -> Path:
        root = self.root.resolve()
        source = (root / path).resolve()
        if not source.is_relative_to(root):
            raise ValueError(f"{path} leads elsewhere")
        return source

    def text(self, path: str, *, most: int) -> str | None:
        found = self.read(path, most=most)
        return found[0].decode("utf-8", "replace") if found else None

    def picture(self, attachment: Attachment) -> bytes | None:
        """The file, if it is small enough to travel inside the page."""
        found = self.read(attachment.path, most=_LARGEST_PICTURE)
        return found[0] if found and found[1] <= _LARGEST_PICTURE else None

    def end(self, path: str) -> str:
        """Of a log its last lines; empty if it cannot be read."""
        try:
            return tail_of(self._inside(path), size=_LOG)
        except _UNREADABLE:
            return ""


def noteworthy(test: TestState) -> bool:
    """Whether somebody will open its page: anything that did not simply pass or was simply not run."""
    return bool(test.attempts) and (
        test.verdict.reason is not None or len(test.attempts) > 1 or any(case.bad for case in test.cases)
    )


def detail(test: TestState, *, evidence: Evidence) -> Json:
    most = _OUTPUT_OF_BAD if noteworthy(test) else _OUTPUT_OF_GOOD
    return {
        "message": test.verdict.message,
        "env": dict(test.test.env),
        "args": list(test.test.args),
        "attempts": [_attempt(attempt, evidence=evidence, most=most) for attempt in test.attempts],
    }


def pictures(test: TestState) -> list[Attachment]:
    """Every picture of a test once, those of its first attempt first."""
    found = {
        one.path: one
        for attempt in test.attempts
        for one in (*attempt.attachments, *(each for case in attempt.cases for each in case.attachments))
        if one.content_type in PICTURES
    }
    return list(found.values())


def _attempt(attempt: Attempt, *, evidence: Evidence, most: int) -> Json:
    return {
        "number": attempt.number,
        "started_at": attempt.started_at,
        "duration": ms(attempt.duration),
        "status": attempt.verdict.status.value,
        "reason": attempt.verdict.reason,
        "message": attempt.verdict.message,
        "exit_status": attempt.exit_status,
        "slot": attempt.slot,
        "output": _output(attempt, evidence=evidence, most=most),
        "attachments": _attachments(attempt.attachments),
        "leaked": [{"pid": leak.pid, "command": leak.command} for leak in attempt.leaked],
        "ids": [case.id for case in attempt.cases],
        "letters": "".join(LETTERS[case.status] for case in attempt.cases),
        "took": [ms(case.duration) for case in attempt.cases],
        "told": {
            str(at): _told(case) for at, case in enumerate(attempt.cases) if case.message or case.attachments
        },
        "places": _places(attempt.cases),
    }


def _places(cases: tuple[Case, ...]) -> Json:
    """File and line of those cases whose id does not start with the file."""
    files = sorted({case.file for case in cases if case.file})
    numbers: Mapping[str, int] = {file: at for at, file in enumerate(files)}
    return {
        "files": files,
        "at": [[numbers[case.file], line_of(case) or 0] if case.file else None for case in cases],
    }


def _told(case: Case) -> Json:
    return {
        "message": case.message,
        "signature": signature(case.message) if case.bad and case.message else None,
        "attachments": _attachments(case.attachments),
    }


def _attachments(attachments: tuple[Attachment, ...]) -> list[Json]:
    return [
        {"name": one.name, "path": one.path, "type": one.content_type, "url": one.url} for one in attachments
    ]


def _output(attempt: Attempt, *, evidence: Evidence, most: int) -> Json | None:
    output = attempt.output
    if output is None:
        return None
    text = evidence.text(output.path, most=most) if output.size else ""
    return {"path": output.path, "size": output.size, "text": output.tail if text is None else text}

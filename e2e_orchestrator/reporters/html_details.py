"""What belongs to one test's page: attempts with their messages, output, files. The page unpacks it when it is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e_orchestrator.model.outcomes import Attachment, Attempt, Case
from e2e_orchestrator.model.plan import Plan, Screenshots
from e2e_orchestrator.model.summary import TestState
from e2e_orchestrator.reporters.groups import signature
from e2e_orchestrator.reporters.html_data import LETTERS, ms
from e2e_orchestrator.safety.regular import open_regular

Json = dict[str, Any]  # A tree of plain JSON values.

PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
_OUTPUT_OF_BAD, _OUTPUT_OF_GOOD = 256 << 10, 8 << 10
_LOG = 512 << 10
_LARGEST_PICTURE = 3 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The files of a run, by their paths in events; nothing outside ``root`` is ever read."""

    root: Path

    def read(self, path: str, *, most: int) -> tuple[bytes, int] | None:
        """At most so many bytes, the ends of what is longer, and the whole size; None if it cannot be read."""
        try:
            root = self.root.resolve()
            source = (root / path).resolve()
            if not source.is_relative_to(root):
                return None
            with open_regular(source) as file:
                size = file.seek(0, 2)
                file.seek(0)
                if size <= most:
                    return file.read(most), size
                head = file.read(most // 4)
                file.seek(size - (most - most // 4))
                return head + f"\n[… {size - most} bytes cut …]\n".encode() + file.read(most), size
        except (OSError, ValueError, RuntimeError):  # A path with a null byte, links in a circle.
            return None

    def text(self, path: str, *, most: int) -> str | None:
        found = self.read(path, most=most)
        return found[0].decode("utf-8", "replace") if found else None

    def picture(self, attachment: Attachment) -> bytes | None:
        """The file, if it is small enough to travel inside the page."""
        found = self.read(attachment.path, most=_LARGEST_PICTURE)
        return found[0] if found and found[1] <= _LARGEST_PICTURE else None

    def log(self, path: str) -> str | None:
        return self.text(path, most=_LOG)


def noteworthy(test: TestState) -> bool:
    """Whether somebody will open its page: anything that did not simply pass or was simply not run."""
    return bool(test.attempts) and (
        test.verdict.reason is not None or len(test.attempts) > 1 or any(case.bad for case in test.cases)
    )


def detail(test: TestState, *, plan: Plan, evidence: Evidence) -> Json:
    most = _OUTPUT_OF_BAD if noteworthy(test) else _OUTPUT_OF_GOOD
    shown = plan.artifacts.screenshots is Screenshots.ALWAYS
    return {
        "message": test.verdict.message,
        "env": dict(test.test.env),
        "args": list(test.test.args),
        "attempts": [
            _attempt(attempt, evidence=evidence, most=most, pictures=shown) for attempt in test.attempts
        ],
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


def _attempt(attempt: Attempt, *, evidence: Evidence, most: int, pictures: bool) -> Json:
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
        "attachments": _attachments(attempt.attachments, pictures=pictures),
        "leaked": [{"pid": leak.pid, "command": leak.command} for leak in attempt.leaked],
        "ids": [case.id for case in attempt.cases],
        "letters": "".join(LETTERS[case.status] for case in attempt.cases),
        "took": [ms(case.duration) for case in attempt.cases],
        "told": {
            str(at): _told(case, pictures=pictures)
            for at, case in enumerate(attempt.cases)
            if case.message or case.attachments
        },
        "places": _places(attempt.cases),
    }


def _places(cases: tuple[Case, ...]) -> Json:
    """File and line of those cases whose id does not start with the file."""
    files = sorted({case.file for case in cases if case.file})
    numbers: Mapping[str, int] = {file: at for at, file in enumerate(files)}
    return {
        "files": files,
        "at": [[numbers[case.file], case.line or 0] if case.file else None for case in cases],
    }


def _told(case: Case, *, pictures: bool) -> Json:
    return {
        "message": case.message,
        "signature": signature(case.message) if case.bad and case.message else None,
        "attachments": _attachments(case.attachments, pictures=pictures),
    }


def _attachments(attachments: tuple[Attachment, ...], *, pictures: bool) -> list[Json]:
    return [
        {"name": one.name, "path": one.path, "type": one.content_type}
        for one in attachments
        if pictures or not one.content_type.startswith("image/")
    ]


def _output(attempt: Attempt, *, evidence: Evidence, most: int) -> Json | None:
    output = attempt.output
    if output is None:
        return None
    text = evidence.text(output.path, most=most) if output.size else ""
    return {"path": output.path, "size": output.size, "text": output.tail if text is None else text}

"""Reads the case stream, the JSON lines that a child appends to the file named by ``E2E_EVENTS``.

Lines come from programs that crash, run full disks and print what they like into any file they know the
name of: whatever is torn, too long, unknown or not from the writer that opened the stream is left out.
The fields are documented in docs/reference/case-stream.md.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, assert_never

from e2e_orchestrator.model.outcomes import BAD_CASES, Attachment, Case, CaseStatus
from e2e_orchestrator.parsers.text import message, short_id
from e2e_orchestrator.parsers.values import seconds, whole
from e2e_orchestrator.safety.regular import open_regular

MOST_BYTES = 1 << 30  # Who writes more has lost control, or made a hole: what follows is not read.
_LONGEST_LINE = 1 << 20
_MOST_NOISE = 200_000
_CHUNK = 1 << 18
_MOST_CASES = 250_000
_MOST_PROBLEMS = 100
_MOST_ATTACHMENTS = 50
# Full messages until this many letters are kept, then only the beginning and end of each.
_MESSAGE_BUDGET = 8 << 20
_SHORT_MESSAGE = 512
_LONGEST_SHOWN = 100


class ProblemKind(StrEnum):
    """What can go wrong outside of any case; ``collection_skipped`` and ``stopped`` are no faults."""

    ERROR = "error"
    COLLECTION_ERROR = "collection_error"
    COLLECTION_SKIPPED = "collection_skipped"
    INTERNAL_ERROR = "internal_error"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"


_PROBLEMS = {one.value: one for one in ProblemKind}
_STATUSES = {one.value: one for one in CaseStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """``writer`` is the mark on every line of the writer that opened the stream, if it uses one."""

    writer: str | None = None
    tool: str | None = None
    pid: int | None = None
    stacks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """In a pack, ``test`` is whose cases these are; ``shared``: they run once for several tests.

    ``flaky_fails`` if the tool ends with an error because of a flaky case.
    """

    ids: tuple[str, ...]
    files: tuple[str, ...] = ()
    test: str | None = None
    shared: bool = False
    flaky_fails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """``worker`` is the number from 0 of the tool's own slot."""

    id: str
    worker: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """A try of a case that did not count, because the tool itself tries again."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The paths of ``attachments`` are as the child wrote them: a runner decides which of them are shown.

    They are not in ``case``, so that a case can be passed on as it is while the child runs.
    """

    case: Case
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    kind: ProblemKind
    message: str
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFinished:
    """``status`` is the tool's own word for its end, ``deselected`` how many cases it left out."""

    exit_status: int | None = None
    status: str | None = None
    deselected: int = 0


StreamEvent = SessionStarted | Collected | Started | Retried | Finished | Problem | SessionFinished


class CaseStreamReader:
    """Turns bytes, in whatever pieces they come, into events; holds at most one line in memory.

    The first ``session_started`` line decides who writes: if it carries a ``writer`` mark, lines without
    this mark are counted in ``foreign`` and otherwise ignored. So a test that knows the name of the file
    cannot speak for the tool that runs it.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False
        self._opened = False
        self._writer: str | None = None
        self.foreign = 0
        self.garbage = 0

    @property
    def gave_up(self) -> bool:
        """So many lines were nobody's that the rest is not worth the time it takes."""
        return self.foreign + self.garbage > _MOST_NOISE

    def feed(self, data: bytes) -> list[StreamEvent]:
        """The events of all lines that are complete now; none any more once it gave up."""
        events: list[StreamEvent] = []
        if self.gave_up:
            return events
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            line = bytes(self._rest) + data[start:end]
            self._rest.clear()
            start = end + 1
            if self._skipping or len(line) > _LONGEST_LINE:
                self._skipping = False
                self.garbage += 1
            elif line.strip() and (event := self._event(line)) is not None:
                events.append(event)
        if not self._skipping:
            self._rest += data[start:]
            if len(self._rest) > _LONGEST_LINE:
                self._skipping = True
                self._rest.clear()
        return events

    def _event(self, line: bytes) -> StreamEvent | None:
        if not line.lstrip().startswith(b"{"):  # A tenth of what it costs to be told so by the parser.
            self.garbage += 1
            return None
        try:
            raw = json.loads(line)
        except (ValueError, RecursionError):
            self.garbage += 1
            return None
        if not isinstance(raw, dict) or not isinstance(raw.get("event"), str):
            self.garbage += 1
            return None
        writer = raw.get("writer") if isinstance(raw.get("writer"), str) else None
        if not self._opened and raw["event"] == "session_started":
            self._opened, self._writer = True, writer
        if self._writer is not None and writer != self._writer:
            self.foreign += 1
            return None
        return _parse(raw)


def _session_started(raw: Mapping[str, Any]) -> StreamEvent:
    return SessionStarted(
        writer=_text(raw.get("writer")),
        tool=_text(raw.get("tool")),
        pid=whole(raw.get("pid")),
        stacks=raw.get("stacks") is True,
    )


def _collected(raw: Mapping[str, Any]) -> StreamEvent:
    ids, files = raw.get("ids"), raw.get("files")
    return Collected(
        ids=tuple(short_id(one) for one in ids if isinstance(one, str)) if isinstance(ids, list) else (),
        files=tuple(one for one in files if isinstance(one, str)) if isinstance(files, list) else (),
        test=_text(raw.get("test")),
        shared=raw.get("shared") is True,
        flaky_fails=raw.get("flaky_fails") is True,
    )


def _session_finished(raw: Mapping[str, Any]) -> StreamEvent:
    return SessionFinished(
        exit_status=whole(raw.get("exit_status")),
        status=_text(raw.get("status")),
        deselected=whole(raw.get("deselected")) or 0,
    )


def _problem(raw: Mapping[str, Any]) -> StreamEvent:
    text = message(_text(raw.get("message")) or "no message")
    return Problem(kind=_PROBLEMS[raw["event"]], message=text, where=_text(raw.get("id")))


_ABOUT_THE_SESSION: Mapping[str, Callable[[Mapping[str, Any]], StreamEvent]] = {
    "session_started": _session_started,
    "collected": _collected,
    "session_finished": _session_finished,
    **dict.fromkeys(_PROBLEMS, _problem),
}


def _parse(raw: Mapping[str, Any]) -> StreamEvent | None:
    """None for a kind that this version does not know and for a case without an id."""
    kind, identity = raw["event"], raw.get("id")
    if kind in _ABOUT_THE_SESSION:
        return _ABOUT_THE_SESSION[kind](raw)
    if not isinstance(identity, str):
        return None
    match kind:
        case "case_started":
            return Started(id=short_id(identity), worker=whole(raw.get("worker")))
        case "case_retried":
            return Retried(id=short_id(identity))
        case "case_finished":
            attachments = tuple(_attachments(raw.get("attachments")))
            return Finished(case=_case(identity, raw), attachments=attachments)
        case _:
            return None


def _case(identity: str, raw: Mapping[str, Any]) -> Case:
    status = raw.get("status")
    known = _STATUSES.get(status) if isinstance(status, str) else None
    text = _text(raw.get("message"))
    if known is None:  # A status that we do not know proves nothing, least of all a pass.
        shown = repr(status) if len(str(status)) <= _LONGEST_SHOWN else "of too many letters"
        text = f"the case stream gives it the unknown status {shown}" + (f"\n{text}" if text else "")
    return Case(
        id=short_id(identity),
        status=known or CaseStatus.ERROR,
        duration=seconds(raw.get("duration")),
        message=message(text) if text else None,
        file=_text(raw.get("file")),
        line=_line(raw.get("line")),
        project=_text(raw.get("project")),
        shared_failure=raw.get("shared_failure") is True and (known is None or known in BAD_CASES),
    )


def _attachments(raw: object) -> list[Attachment]:
    found = []
    for one in raw[:_MOST_ATTACHMENTS] if isinstance(raw, list) else []:
        path = _text(one.get("path")) if isinstance(one, dict) else None
        if path:
            kind = _text(one.get("content_type")) or "application/octet-stream"
            found.append(
                Attachment(name=_text(one.get("name")) or "attachment", path=path, content_type=kind)
            )
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _line(value: object) -> int | None:
    """Lines count from 1; some tools say 0 or -1 where they know none."""
    number = whole(value)
    return number if number and number > 0 else None


@dataclass(slots=True, kw_only=True)
class StreamEvidence:
    """What a whole stream says. ``cases`` hold the last status of each, in order of first appearance.

    Their attachments still have the paths that the child wrote. ``file_of`` is the file as which the tool
    loaded a case, where it said so: the case's own ``file`` is the one in which it is defined.
    """

    started: SessionStarted | None = None
    finished: SessionFinished | None = None
    collected: dict[str, None] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    file_of: dict[str, str] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    running: dict[str, None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    foreign: int = 0
    garbage: int = 0
    overflow: bool = False
    _budget: int = _MESSAGE_BUDGET

    @property
    def not_run(self) -> list[str]:
        """Collected, and never started."""
        return [one for one in self.collected if one not in self.cases and one not in self.running]

    @property
    def spoken(self) -> bool:
        """Whether the child used the stream at all."""
        return bool(
            self.started or self.finished or self.cases or self.running or self.collected or self.problems
        )

    def of_kind(self, *kinds: ProblemKind) -> list[Problem]:
        return [problem for problem in self.problems if problem.kind in kinds]

    def apply(self, event: StreamEvent) -> None:
        match event:
            case SessionStarted():
                self.started = self.started or event
            case Collected(ids=ids, files=files):
                self.collected.update(dict.fromkeys(ids))
                self.files.update(files)
                if len(files) == 1:
                    self.file_of.update(dict.fromkeys(ids, files[0]))
            case Started(id=identity) | Retried(id=identity):
                self.running[identity] = None
            case Finished(case=case, attachments=attachments):
                self.running.pop(case.id, None)
                self._keep(replace(case, attachments=attachments) if attachments else case)
            case Problem():
                if len(self.problems) < _MOST_PROBLEMS:
                    self.problems.append(event)
            case SessionFinished():
                self.finished = event
            case unknown:
                assert_never(unknown)
        if max(len(self.cases), len(self.collected), len(self.running)) > _MOST_CASES:
            self.overflow = True

    def _keep(self, case: Case) -> None:
        before = self.cases.get(case.id)
        if before is not None and before.status in BAD_CASES and case.status is CaseStatus.PASSED:
            case = replace(case, status=CaseStatus.FLAKY, message=before.message)
        if case.message:
            if self._budget <= 0:
                case = replace(case, message=message(case.message, limit=_SHORT_MESSAGE))
            self._budget -= len(case.message or "")
        self.cases[case.id] = case


def read_stream(path: Path) -> StreamEvidence:
    """The evidence in a file that need not exist; memory is bounded whatever stands in it."""
    evidence = StreamEvidence()
    read_events(path, into=evidence, apply=evidence.apply)
    return evidence


def read_events(path: Path, *, into: StreamEvidence, apply: Callable[[StreamEvent], None]) -> None:
    """Applies every event of the file; ``into`` learns what was left out, and stops it by its overflow."""
    reader = CaseStreamReader()
    try:
        with open_regular(path) as file:
            while (data := file.read(_CHUNK)) and not into.overflow:
                for event in reader.feed(data):
                    apply(event)
                into.overflow = into.overflow or reader.gave_up or file.tell() > MOST_BYTES
    except OSError:
        return
    into.foreign, into.garbage = reader.foreign, reader.garbage

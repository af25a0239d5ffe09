"""What every runner's verdict is made of: facts, a table of which the first fitting row wins, and cases."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar, assert_never

from e2e_orchestrator.model.command import AttemptSpec, Completed, Limit
from e2e_orchestrator.model.outcomes import (
    CUT_SHORT,
    Attachment,
    Case,
    CaseStatus,
    Reason,
    Verdict,
    because,
    passed,
)
from e2e_orchestrator.model.shortened import shortened
from e2e_orchestrator.parsers.case_stream import ProblemKind, StreamEvidence
from e2e_orchestrator.parsers.text import last_lines, message
from e2e_orchestrator.safety.regular import open_regular

_RUNNING_NAMED = 3
_END = 64 * 1024
_PRINTED = 4 * 1024
_STACK_LINES = 12
_WHOSE = {Limit.TEST: "the test's", Limit.PHASE: "the phase's", Limit.RUN: "the run's"}
_GOODNESS = (
    CaseStatus.PASSED,
    CaseStatus.XFAILED,
    CaseStatus.XPASSED,
    CaseStatus.SKIPPED,
    CaseStatus.FLAKY,
    CaseStatus.NOT_RUN,
    CaseStatus.TIMEOUT,
    CaseStatus.ERROR,
    CaseStatus.FAILED,
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of an ended attempt. ``tool`` is how messages call the program."""

    tool: str
    completed: Completed
    stream: StreamEvidence
    cases: tuple[Case, ...]

    @property
    def exit(self) -> int:
        return -1 if self.completed.exit_status is None else self.completed.exit_status

    @property
    def bad(self) -> list[Case]:
        return [case for case in self.cases if case.bad]

    @property
    def not_run(self) -> list[Case]:
        return [case for case in self.cases if case.status is CaseStatus.NOT_RUN]

    @property
    def skipped(self) -> list[Case]:
        return [case for case in self.cases if case.status is CaseStatus.SKIPPED]

    @property
    def told(self) -> bool:
        """The plugin or reporter that we inject spoke; without its mark nothing in the stream can be believed."""
        return self.stream.started is not None and self.stream.started.writer is not None

    @property
    def flaky(self) -> bool:
        return any(case.status is CaseStatus.FLAKY for case in self.cases)

    @property
    def ended_by_itself(self) -> bool:
        """Its own account of its end is complete and is what the process said too."""
        end = self.stream.finished
        if end is None or self.stream.running or self.stream.of_kind(ProblemKind.INTERRUPTED):
            return False
        return end.status != "interrupted" and end.exit_status == self.completed.exit_status

    @property
    def tail(self) -> str:
        """The end of what it printed, with a line break before it; empty if it printed nothing."""
        text = self.completed.tail or _ends_of(self.completed.output)
        _, fatal, stack = text.rpartition("Fatal Python error: ")  # Its first lines name the place.
        lines = last_lines("\n".join((fatal + stack).splitlines()[:_STACK_LINES]) if fatal else text)
        return f"\n{lines}" if lines else ""

    @property
    def printed(self) -> str:
        """All of a short output: what a tool says that gives up before it has begun."""
        text = message(_ends_of(self.completed.output), limit=_PRINTED).strip()
        return f"\n{text}" if text else ""

    @property
    def beginning(self) -> str:
        """What it does before its first case."""
        return "while collecting"

    @property
    def where(self) -> str:
        """How far it had come."""
        running = list(self.stream.running)
        if running:
            return f"while running {shortened(running, most=_RUNNING_NAMED)}"
        if not self.stream.spoken:
            return "before it reported anything"
        if not self.stream.collected and not self.stream.cases:
            return self.beginning
        if self.stream.not_run and self.stream.finished is None:
            return f"between two cases, {len(self.stream.not_run)} not run"
        return "after the last case"

    @property
    def so_far(self) -> str:
        """What must not be lost when something else decides."""
        failed = [case for case in self.bad if case.id not in self.stream.running]
        return f"; {len(failed)} of {len(self.cases)} cases had failed" if failed else ""


FactsT = TypeVar("FactsT", bound=Facts)
FactsT_contra = TypeVar("FactsT_contra", bound=Facts, contravariant=True)


@dataclass(frozen=True)
class Row(Generic[FactsT_contra]):
    """``words`` say in the documentation what ``when`` decides; ``reason`` None means passed.

    ``say`` may return None where the cases say it all.
    """

    words: str
    when: Callable[[FactsT_contra], object]
    reason: Reason | None
    say: Callable[[FactsT_contra], str | None]


def said(facts: Facts, *kinds: ProblemKind) -> str:
    """What the child said went wrong outside of its cases."""
    return "\n\n".join(problem.message for problem in facts.stream.of_kind(*kinds))


def gaps(facts: Facts, lacking: Sequence[str]) -> Iterator[str]:
    """What keeps a success from being believed: cases that are ``lacking`` a result, or more than can be kept."""
    if lacking:
        yield f"{len(lacking)} of {len(facts.cases)} cases have no result, {lacking[0]} for one"
    if facts.stream.overflow:
        yield "the case stream is larger, or names more cases, than can be kept"


def nothing_to_add(_facts: Facts) -> None:
    """The cases' own messages are the message."""


def always(_facts: Facts) -> bool:
    return True


def decide(table: Iterable[Row[FactsT]], facts: FactsT) -> Verdict:
    """The verdict of the first row that fits; the last row of a table fits always."""
    row = next(row for row in table if row.when(facts))
    text = row.say(facts)
    return passed() if row.reason is None else because(row.reason, message(text) if text else None)


# How a process ended comes before what it said; every runner's table begins with these.
ENDINGS: tuple[Row[Facts], ...] = (
    Row(
        "the process could not be started",
        lambda f: f.completed.start_error is not None,
        Reason.INFRASTRUCTURE,
        lambda f: f"{f.tool} could not be started: {f.completed.start_error}",
    ),
    Row(
        "a limit or a patience ran out, and we ended it",
        lambda f: f.completed.limit is not None,
        Reason.TIMEOUT,
        lambda f: f"{_patience(f.completed)} {f.where}{f.so_far}",
    ),
    Row(
        "the run was cancelled, and we ended it",
        lambda f: f.completed.interrupted is not None and not f.ended_by_itself,
        Reason.INTERRUPTED,
        lambda f: f"the run was cancelled ({f.completed.interrupted}) {f.where}{f.so_far}",
    ),
    Row(
        "nobody saw how it ended: the process that keeps it was killed",
        lambda f: f.completed.exit_status is None,
        Reason.CRASH,
        lambda f: (
            f"nobody saw how {f.tool} ended, because the process that keeps it was killed {f.where}{f.so_far}"
        ),
    ),
    Row(
        "it died of a signal",
        lambda f: f.exit < 0,
        Reason.CRASH,
        lambda f: f"{f.tool} died of {signal_name(-f.exit)} {f.where}{f.so_far}{f.tail}",
    ),
)

EVERY_SKIPPED: Row[Facts] = Row(
    "every case was skipped",
    lambda f: len(f.skipped) == len(f.cases),
    Reason.ALL_SKIPPED,
    lambda f: f.skipped[0].message,
)


def _patience(completed: Completed) -> str:
    """Which limit was over, or what it did not do any more."""
    seconds = f" {completed.limit_seconds:g} s" if completed.limit_seconds is not None else ""
    match completed.limit:
        case Limit.STALL:
            return f"it printed and reported nothing for{seconds or ' too long'},"
        case Limit.EXIT:
            return f"its session was finished, but the process did not exit within{seconds or ' its time'},"
        case Limit.TEST | Limit.PHASE | Limit.RUN as limit:
            return f"{_WHOSE[limit]} limit{' of' + seconds if seconds else ''} was over"
        case None:
            return "it was ended"
        case unknown:
            assert_never(unknown)


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _ends_of(path: Path) -> str:
    """The whole of a short file, the beginning and the end of a long one."""
    try:
        with open_regular(path) as file:
            head = file.read(_END)
            middle = file.seek(0, os.SEEK_END) - 2 * _END
            file.seek(max(_END, _END + middle))
            tail = file.read(_END)
    except OSError:
        return ""
    gap = f"\n[... {middle} bytes cut ...]\n".encode() if middle > 0 else b""
    return (head + gap + tail).decode("utf-8", "replace")


def all_cases(
    stream: StreamEvidence,
    *,
    reported: Mapping[str, Case],
    also_collected: Sequence[str] = (),
    running: CaseStatus,
) -> tuple[Case, ...]:
    """Every case that any witness knows, once; of two statuses the worse.

    ``running`` is what became of those that were begun and never finished.
    """
    order = dict.fromkeys([*stream.collected, *also_collected, *stream.cases, *reported, *stream.running])
    return tuple(_case(identity, stream=stream, reported=reported, running=running) for identity in order)


def _case(
    identity: str, *, stream: StreamEvidence, reported: Mapping[str, Case], running: CaseStatus
) -> Case:
    if identity in stream.running:
        known = stream.cases.get(identity) or Case(id=identity, status=running)
        return replace(known, status=running, message=CUT_SHORT)
    live, native = stream.cases.get(identity), reported.get(identity)
    if live is None or native is None:
        return live or native or Case(id=identity, status=CaseStatus.NOT_RUN)
    if _GOODNESS.index(native.status) <= _GOODNESS.index(live.status) or (live.bad and native.bad):
        return live if live.message or not native.message else replace(live, message=native.message)
    return replace(
        live,
        status=native.status,
        message=native.message or live.message,
        shared_failure=native.shared_failure,
    )


def located(attachments: Iterable[Attachment], *, spec: AttemptSpec) -> tuple[Attachment, ...]:
    """With paths relative to the output folder; what is no file in the attempt's folder is left out."""
    folder, root = spec.folder.resolve(), spec.output_root.resolve()
    found = []
    for one in attachments:
        try:
            path = (folder / one.path).resolve()
            inside = path.is_relative_to(folder) and path.is_file()
        except (OSError, ValueError):
            continue
        if inside:
            found.append(replace(one, path=os.path.relpath(path, root)))
    return tuple(found)


def files_left(names: Mapping[str, tuple[str, str]], *, spec: AttemptSpec) -> tuple[Attachment, ...]:
    """Those of ``{file: (name, content type)}`` that the attempt wrote and that hold something."""
    return located(
        (
            Attachment(name=name, path=file, content_type=content_type)
            for file, (name, content_type) in names.items()
            if (spec.folder / file).is_file() and (spec.folder / file).stat().st_size
        ),
        spec=spec,
    )


def with_located_attachments(cases: Iterable[Case], *, spec: AttemptSpec) -> tuple[Case, ...]:
    return tuple(
        replace(case, attachments=located(case.attachments, spec=spec)) if case.attachments else case
        for case in cases
    )

"""What each service printed around an attempt: cut out of its log, by the bytes that the journal tells.

Bytes and not times decide what is shown: a clock that is set back moves no byte. The times that the keeper noted
only say beside each line when it came, and say nothing where they contradict the bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from e2e_orchestrator.model.outcomes import Attempt, ServiceLog
from e2e_orchestrator.model.summary import TestState
from e2e_orchestrator.process.came import Times
from e2e_orchestrator.reporters.html_data import ms
from e2e_orchestrator.reporters.html_details import Evidence

Json = dict[str, Any]  # A tree of plain JSON values.

_LONGEST_LINE = 2_000
_SLACK = 1_000  # Milliseconds.


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How much of a log one attempt may show: of its own part at most so much, and so much around it."""

    bytes: int
    lines: int
    around_bytes: int = 4 << 10
    around_lines: int = 10


OF_BAD = Measure(bytes=64 << 10, lines=400)
OF_GOOD = Measure(bytes=8 << 10, lines=60, around_lines=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    at: int
    data: bytes

    @property
    def end(self) -> int:
        return self.at + len(self.data)


def logs_of(test: TestState, *, evidence: Evidence, measure: Measure) -> Json:
    """By the attempts' numbers what the services around them printed; empty if there were none."""
    return {
        str(attempt.number): [_slice(one, attempt, evidence=evidence, measure=measure) for one in found]
        for attempt in test.attempts
        if (found := attempt.services)
    }


def size_of_logs(test: TestState) -> int:
    return sum(max(0, log.end - log.begin) for attempt in test.attempts for log in attempt.services)


def _slice(log: ServiceLog, attempt: Attempt, *, evidence: Evidence, measure: Measure) -> Json:
    """``lines``, of which those ``around`` came before and after the attempt; ``left`` bytes of its own are not shown."""
    begin = max(0, log.begin)
    end = max(begin, log.end)
    told = {"service": log.service, "log": log.log, "begin": begin, "end": end}
    start = max(0, end - measure.bytes, begin - measure.around_bytes)
    last = end + measure.around_bytes
    data = evidence.part(log.log, start, last)
    lines = _whole(_lines(data or b"", start), start=start, last=last)
    own = [line for line in lines if line.end > begin and line.at < end][-measure.lines :]
    if data is None or (end > begin and not own):
        return {**told, **_remembered(log.tail, size=end - begin)}
    left = max(0, own[0].at - begin) if own else 0
    before = [] if left else [line for line in lines if line.end <= begin][-measure.around_lines :]
    after = [line for line in lines if line.at >= end][: measure.around_lines]
    parts = _Parts(before=before, own=own, after=after)
    return {
        **told,
        "lines": [_text(line) for line in parts.all],
        "at": _stamps(parts, attempt, times=_times(parts.all, log.log, evidence=evidence)),
        "around": [len(before), len(after)],
        "left": left,
        "gone": False,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    before: list[_Line]
    own: list[_Line]
    after: list[_Line]

    @property
    def all(self) -> list[_Line]:
        return [*self.before, *self.own, *self.after]


def _remembered(tail: str, *, size: int) -> Json:
    """What the journal kept, of a log that is not there any more."""
    lines = tail.removesuffix("\n").split("\n") if tail else []
    left = max(0, size - len(tail.encode("utf-8", "replace")))
    return {"lines": lines, "at": [None] * len(lines), "around": [0, 0], "left": left, "gone": True}


def _lines(data: bytes, start: int) -> list[_Line]:
    """A carriage return ends no line: it writes over it, which is the page's business."""
    found, at = [], start
    for piece in data.split(b"\n"):
        line = _Line(at=at, data=piece + b"\n")
        found.append(line)
        at = line.end
    torn = found.pop().data[:-1]
    return [*found, _Line(at=at - len(torn) - 1, data=torn)] if torn else found


def _whole(lines: list[_Line], *, start: int, last: int) -> list[_Line]:
    """Without torn lines at the edges of what was read; but the end of a line that is very long says something."""
    if start and len(lines) > 1 and len(lines[0].data) <= _LONGEST_LINE:
        lines = lines[1:]
    if (
        lines
        and lines[-1].end == last
        and not lines[-1].data.endswith(b"\n")
        and len(lines[-1].data) < _LONGEST_LINE
    ):
        lines = lines[:-1]
    return lines


def _text(line: _Line) -> str:
    """Of a line too long to show its end, and how much is missing."""
    text = line.data.decode("utf-8", "replace").rstrip("\n")
    if len(text) <= _LONGEST_LINE:
        return text
    return f"[… {len(text) - _LONGEST_LINE} characters left out …] {text[-_LONGEST_LINE:]}"


def _times(lines: Sequence[_Line], log: str, *, evidence: Evidence) -> Times:
    return evidence.times(log, begin=lines[0].at, end=lines[-1].end) if lines else Times()


def _stamps(parts: _Parts, attempt: Attempt, *, times: Times) -> list[int | None]:
    """Milliseconds since the attempt began; None where nobody noted it, or where the clock was set meanwhile."""
    since, over = _epoch(attempt.started_at), ms(attempt.duration)
    if since is None or over is None:
        return [None] * len(parts.all)
    spans = (
        (parts.before, -math.inf, _SLACK),
        (parts.own, -_SLACK, over + _SLACK),
        (parts.after, over - _SLACK, math.inf),
    )
    return [
        at if (at := _since(since, times.at(line.at))) is not None and earliest <= at <= latest else None
        for lines, earliest, latest in spans
        for line in lines
    ]


def _since(begin: int, seconds: float | None) -> int | None:
    at = ms(seconds)
    return None if at is None else at - begin


def _epoch(at: str) -> int | None:
    """Milliseconds since 1970; None for what is no time."""
    try:
        return ms(datetime.fromisoformat(at).timestamp())
    except ValueError:
        return None

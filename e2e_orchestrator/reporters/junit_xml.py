"""JUnit XML in the one dialect that every consumer reads: Surefire's, without anything that only some know."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import quoteattr

from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.entries import (
    RUN,
    Entry,
    Result,
    Try,
    entries_of_phase,
    entries_of_run,
)
from e2e_orchestrator.reporters.paths import evidence, source
from e2e_orchestrator.reporters.text import clean, first_line, one_line
from e2e_orchestrator.reporters.unfinished import end_of_phase

# GitLab refuses files of more than 30 MB, https://docs.gitlab.com/ci/testing/unit_test_reports/.
_BIGGEST = 29_000_000
_NAME, _MESSAGE = 1_000, 500


@dataclass(frozen=True, slots=True)
class _Room:
    """Characters of one text, one name and one message."""

    text: int
    name: int = _NAME
    message: int = _MESSAGE


_Suite = tuple[str, float, list[Entry]]
"""Name, seconds and cases."""

# Less and less until the file fits; the last one again without passed cases, and then without the last failures.
_ROOMS = (
    *(_Room(text) for text in (65_536, 16_384, 4_096, 1_024, 256)),
    _Room(256, name=300, message=200),
    _Room(100, name=120, message=100),
)
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Junit:
    """A run as JUnit XML; counts match the elements, and each case stands there once, whatever its retries.

    ``timestamp`` is when the run began, ISO 8601.
    """

    run: RunState
    context: ReporterContext
    timestamp: str

    def render(self) -> bytes:
        """UTF-8 of less than 30 MB: texts and names get shorter until it fits, and then cases are left out, and counted."""
        phases = [(phase, list(entries_of_phase(phase, run=self.run))) for phase in self.run.phases]
        suites = [
            (phase.name, end_of_phase(phase, run=self.run).duration, told) for phase, told in phases if told
        ]
        if own := list(entries_of_run(self.run)):
            suites.append((RUN, 0.0, own))
        for room in _ROOMS:
            data = self._document(suites, room=room)
            if len(data) <= _BIGGEST:
                return data
        most = sum(len(told) for _, _, told in suites)
        while len(data) > _BIGGEST:  # Each time a little less than what would fit: those that matter last.
            most = min(most - 1, int(most * 0.95 * _BIGGEST / len(data)))
            data = self._document(_the_first(suites, most), room=_ROOMS[-1])
        return data

    def _document(self, suites: list[_Suite], *, room: _Room) -> bytes:
        told = [entry for _, _, entries in suites for entry in entries]
        took = self.run.finished.duration if self.run.finished else self.run.mono
        project = self.run.plan.project if self.run.plan else RUN
        lines = ['<?xml version="1.0" encoding="UTF-8"?>']
        lines.append(f"<testsuites name={_attribute(project)} {_counts(told)} {_time(took)}>")
        for name, seconds, entries in suites:
            lines.extend(self._suite(name, entries, seconds=seconds, room=room))
        lines.append("</testsuites>\n")
        return "\n".join(lines).encode()

    def _suite(self, name: str, entries: list[Entry], *, seconds: float, room: _Room) -> Iterator[str]:
        stamp = _timestamp(self.timestamp)
        yield f"  <testsuite name={_attribute(name)} {_counts(entries)} {_time(seconds)}{stamp}>"
        seen: Counter[tuple[str, str]] = Counter()
        for entry in entries:
            name = one_line(entry.name, limit=room.name) or "unnamed"
            seen[entry.group, name] += 1
            again = seen[entry.group, name]
            # Of equal names GitLab drops all but one; these differ in what XML cannot hold, or far behind.
            yield from self._case(entry, name=name if again == 1 else f"{name} ({again})", room=room)
        yield "  </testsuite>"

    def _case(self, entry: Entry, *, name: str, room: _Room) -> Iterator[str]:
        group = one_line(f"{entry.suite}.{entry.group}", limit=room.name)
        head = (
            f"    <testcase classname={_attribute(group)}"
            f" name={_attribute(name)} {_time(entry.duration)}{self._place(entry)}"
        )
        inside = [*_outcome(entry, room=room), *self._printed(entry, limit=room.text)]
        if inside:
            yield f"{head}>"
            yield from inside
            yield "    </testcase>"
        else:
            yield f"{head}/>"

    def _place(self, entry: Entry) -> str:
        if entry.file is None or entry.test is None:
            return ""
        test = entry.test.test
        file = source(entry.file, test=test, plan=self.run.plan, environ=self.context.environ)
        if not one_line(file):
            return ""
        line = f' line="{entry.line}"' if entry.line is not None else ""
        return f" file={_attribute(file)}{line}"

    def _printed(self, entry: Entry, *, limit: int) -> Iterator[str]:
        """One ``system-out`` at most: the attachments, in the one notation that three consumers share."""
        matters = entry.bad or entry.result is Result.FLAKY
        files = [one.path for one in entry.attachments]
        files += [entry.output] if entry.output and matters else []
        said = [clean(entry.tail).strip("\n")] if entry.tail else []
        for path in dict.fromkeys(files):
            shown = evidence(path, context=self.context, plan=self.run.plan)
            # A name with a line break, or with the end of a token, could forge another one.
            if shown == one_line(shown, limit=_NAME) and "]]" not in shown:
                said.append(f"[[ATTACHMENT|{shown}]]")
        # The notation is for files on the disk of the job; where copies are, is for people.
        said += dict.fromkeys(one_line(one.url, limit=_NAME) for one in entry.attachments if one.url)
        if said:
            yield f"      <system-out>{_text(chr(10).join(said), limit=limit)}</system-out>"


def _matters(entry: Entry) -> bool:
    return entry.result not in (Result.PASSED, Result.SKIPPED)


def _the_first(suites: list[_Suite], most: int) -> list[_Suite]:
    """So many cases, those that matter before the others, and one more that says what is left out."""
    important = sum(_matters(one) for _, _, told in suites for one in told)
    bad, good = min(most, important), max(0, most - important)
    found: list[_Suite] = []
    for name, took, told in suites:
        kept = []
        for one in told:
            if _matters(one):
                bad, keep = bad - 1, bad > 0
            else:
                good, keep = good - 1, good > 0
            kept += [one] if keep else []
        found.append((name, took, kept))
    total = sum(len(told) for _, _, told in suites)
    return [*found, _left_out(total - most, of=total)]


def _left_out(number: int, *, of: int) -> _Suite:
    said = (
        f"{number} of {of} cases of this run are left out: they would not fit into {_BIGGEST // 1_000_000} MB"
    )
    entry = Entry(
        suite=RUN, group="report", name="cases left out", result=Result.SKIPPED, raw="left out", message=said
    )
    return f"{RUN}.report", 0.0, [entry]


def _outcome(entry: Entry, *, room: _Room) -> Iterator[str]:
    """Nothing for a pass; the first failure, and what came of the others."""
    match entry.result:
        case Result.PASSED:
            return
        case Result.SKIPPED:
            yield f"      <skipped message={_attribute(_says(entry.message or entry.raw, room))}/>"
        case Result.FLAKY:
            for one in entry.failed_tries or (_only_try(entry),):
                yield from _rerun("flaky", one, room=room)
        case Result.FAILED | Result.ERROR:
            first, *later = entry.failed_tries or (_only_try(entry),)
            message = first.message or entry.message
            tag = "failure" if entry.result is Result.FAILED else "error"
            head = f"      <{tag} message={_attribute(_says(message or entry.raw, room))} type={_attribute(entry.raw)}>"
            yield f"{head}{_text(message or '', limit=room.text)}</{tag}>"
            for one in later:
                yield from _rerun("rerun", one, room=room)


def _only_try(entry: Entry) -> Try:
    result = Result.FAILED if entry.result is Result.FLAKY else entry.result
    return Try(number=1, result=result, raw=entry.raw, duration=entry.duration, message=entry.message)


def _rerun(kind: str, one: Try, *, room: _Room) -> Iterator[str]:
    """Surefire's words for a failed attempt that another one followed, or that followed another one."""
    tag = f"{kind}{'Error' if one.result is Result.ERROR else 'Failure'}"
    said = _attribute(_says(one.message or one.raw, room))
    yield f"      <{tag} message={said} type={_attribute(one.raw)} {_time(one.duration)}>"
    yield f"        <stackTrace>{_text(one.message or '', limit=room.text)}</stackTrace>"
    yield f"      </{tag}>"


def _counts(entries: Iterable[Entry]) -> str:
    results = [entry.result for entry in entries]
    return (
        f'tests="{len(results)}" failures="{results.count(Result.FAILED)}"'
        f' errors="{results.count(Result.ERROR)}" skipped="{results.count(Result.SKIPPED)}"'
    )


def _time(seconds: float) -> str:
    sound = seconds if 0 <= seconds < float("inf") else 0.0
    return f'time="{sound:.3f}"'


def _timestamp(stamp: str) -> str:
    """ISO 8601 without a zone, as Jenkins' and Ant's schemas have it; UTC."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    if offset := moment.utcoffset():
        moment -= offset
    return f' timestamp="{moment.replace(tzinfo=None).isoformat(timespec="seconds")}"'


def _says(message: str, room: _Room) -> str:
    return first_line(message, limit=room.message)


def _attribute(text: str) -> str:
    return quoteattr(_ILLEGAL.sub("\ufffd", one_line(text, limit=_NAME + 10)))


def _text(text: str, *, limit: int) -> str:
    """Escaped, without what XML 1.0 cannot hold; of a long text both ends, and how much is missing."""
    shown = _ILLEGAL.sub("\ufffd", clean(text))
    if len(shown) > limit:
        half = limit // 2
        shown = f"{shown[:half]}\n… {len(shown) - 2 * half} characters left out …\n{shown[-half:]}"
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

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
# Characters of one text; smaller and smaller until the file fits, the last one without passed cases.
_TEXTS = (65_536, 16_384, 4_096, 1_024, 256)
_NAME, _MESSAGE = 1_000, 500
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
        """UTF-8 of less than 30 MB: texts get shorter until it fits, and then passed cases are left out."""
        phases = [(phase, list(entries_of_phase(phase, run=self.run))) for phase in self.run.phases]
        suites = [
            (phase.name, end_of_phase(phase, run=self.run).duration, told) for phase, told in phases if told
        ]
        if own := list(entries_of_run(self.run)):
            suites.append((RUN, 0.0, own))
        for limit in _TEXTS:
            data = self._document(suites, limit=limit)
            if len(data) <= _BIGGEST:
                return data
        lacking = [(name, took, [one for one in told if _matters(one)]) for name, took, told in suites]
        return self._document(lacking, limit=_TEXTS[-1])

    def _document(self, suites: list[tuple[str, float, list[Entry]]], *, limit: int) -> bytes:
        told = [entry for _, _, entries in suites for entry in entries]
        took = self.run.finished.duration if self.run.finished else self.run.mono
        project = self.run.plan.project if self.run.plan else RUN
        lines = ['<?xml version="1.0" encoding="UTF-8"?>']
        lines.append(f"<testsuites name={_attribute(project)} {_counts(told)} {_time(took)}>")
        for name, seconds, entries in suites:
            lines.extend(self._suite(name, entries, seconds=seconds, limit=limit))
        lines.append("</testsuites>\n")
        return "\n".join(lines).encode()

    def _suite(self, name: str, entries: list[Entry], *, seconds: float, limit: int) -> Iterator[str]:
        stamp = _timestamp(self.timestamp)
        yield f"  <testsuite name={_attribute(name)} {_counts(entries)} {_time(seconds)}{stamp}>"
        seen: Counter[tuple[str, str]] = Counter()
        for entry in entries:
            name = one_line(entry.name, limit=_NAME) or "unnamed"
            seen[entry.group, name] += 1
            again = seen[entry.group, name]
            # Of equal names GitLab drops all but one; these differ in what XML cannot hold, or far behind.
            yield from self._case(entry, name=name if again == 1 else f"{name} ({again})", limit=limit)
        yield "  </testsuite>"

    def _case(self, entry: Entry, *, name: str, limit: int) -> Iterator[str]:
        head = (
            f"    <testcase classname={_attribute(f'{entry.suite}.{entry.group}')}"
            f" name={_attribute(name)} {_time(entry.duration)}{self._place(entry)}"
        )
        inside = [*_outcome(entry, limit=limit), *self._printed(entry, limit=limit)]
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
            if shown == one_line(shown, limit=_NAME):  # A name with a line break could forge another token.
                said.append(f"[[ATTACHMENT|{shown}]]")
        if said:
            yield f"      <system-out>{_text(chr(10).join(said), limit=limit)}</system-out>"


def _matters(entry: Entry) -> bool:
    return entry.result not in (Result.PASSED, Result.SKIPPED)


def _outcome(entry: Entry, *, limit: int) -> Iterator[str]:
    """Nothing for a pass; the first failure, and what came of the others."""
    match entry.result:
        case Result.PASSED:
            return
        case Result.SKIPPED:
            yield f"      <skipped message={_attribute(_says(entry.message or entry.raw))}/>"
        case Result.FLAKY:
            for one in entry.failed_tries or (_only_try(entry),):
                yield from _rerun("flaky", one, limit=limit)
        case Result.FAILED | Result.ERROR:
            first, *later = entry.failed_tries or (_only_try(entry),)
            message = first.message or entry.message
            tag = "failure" if entry.result is Result.FAILED else "error"
            head = f"      <{tag} message={_attribute(_says(message or entry.raw))} type={_attribute(entry.raw)}>"
            yield f"{head}{_text(message or '', limit=limit)}</{tag}>"
            for one in later:
                yield from _rerun("rerun", one, limit=limit)


def _only_try(entry: Entry) -> Try:
    result = Result.FAILED if entry.result is Result.FLAKY else entry.result
    return Try(number=1, result=result, raw=entry.raw, duration=entry.duration, message=entry.message)


def _rerun(kind: str, one: Try, *, limit: int) -> Iterator[str]:
    """Surefire's words for a failed attempt that another one followed, or that followed another one."""
    tag = f"{kind}{'Error' if one.result is Result.ERROR else 'Failure'}"
    said = _attribute(_says(one.message or one.raw))
    yield f"      <{tag} message={said} type={_attribute(one.raw)} {_time(one.duration)}>"
    yield f"        <stackTrace>{_text(one.message or '', limit=limit)}</stackTrace>"
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


def _says(message: str) -> str:
    return first_line(message, limit=_MESSAGE)


def _attribute(text: str) -> str:
    return quoteattr(_ILLEGAL.sub("\ufffd", one_line(text, limit=_NAME + 10)))


def _text(text: str, *, limit: int) -> str:
    """Escaped, without what XML 1.0 cannot hold; of a long text both ends, and how much is missing."""
    shown = _ILLEGAL.sub("\ufffd", clean(text))
    if len(shown) > limit:
        half = limit // 2
        shown = f"{shown[:half]}\n… {len(shown) - 2 * half} characters left out …\n{shown[-half:]}"
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

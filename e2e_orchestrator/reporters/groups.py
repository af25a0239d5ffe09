"""Failures with the same cause as one group: what differs from run to run is folded out of their errors.

>>> signature("E   TimeoutError: GET http://localhost:41234/users/17 took 5.02s")
'TimeoutError: GET http://localhost:<n>/users/<n> took <duration>'
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.reporters.paths import line_of
from e2e_orchestrator.reporters.text import clip, lines_that_matter
from e2e_orchestrator.reporters.unfinished import end_of_test

_LONGEST = 200
_LINES = 7  # Few enough that pytest's block comes without the statement that stands before it.
_LONG_QUOTE = 40

_MARK = re.compile(r"^E\s+")
# Lines that say only that something was expected: the line after them says what.
_GENERIC = re.compile(
    r"(?:\w+\.)*\w*(?:Error|Exception):?$|assert [\W\d]+$|(?:Error: )?expect\(.*\)[\w.]*\(.*\)(?: failed)?$"
)
_SAYS_NOTHING = re.compile(r"[\W_]*$|Call [Ll]og:?$")

# One pass, the first that fits: what has been folded is never looked at again.
_VOLATILE = re.compile(
    r"""
      (?P<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?\s?(?:Z\b|[+-]\d\d:?\d\d)?)?
          |\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?)
    | (?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)
    | (?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}://)
    | (?P<hex>\b0x[0-9a-fA-F]+\b|\b(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{7,}\b)
    | (?P<path>(?<![\w/.<>:\])}-])(?:[A-Za-z]:\\|~?/(?=[\w.@-]+/))[^\s'"`:;,()<>|]*)
    | (?P<id>\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{20,}\b)
    | (?P<duration>(?<![\w.])\d+(?:\.\d+)?\s?(?:ns|us|µs|ms|s|secs?|seconds?|min|mins|minutes?|h|hours?)\b)
    | (?P<number>(?:(?<![\w.)\]])[-+])?\d+(?:[.,_]\d+)*(?:[eE][-+]?\d+)?)
    """,
    re.VERBOSE,
)
_FOLDED = {"time": "<time>", "uuid": "<id>", "hex": "<hex>", "id": "<id>", "duration": "<duration>"}
_QUOTES = dict.fromkeys(map(ord, '\u2018\u2019\u201c\u201d`"'), "'")
_QUOTED = re.compile(r"(?<!\w)'([^']*)'(?!\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One thing that went wrong: a bad case, or a test that failed without one (``case`` is None)."""

    test: str
    message: str
    case: str | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failures of one signature in the order they came; ``title`` is the first one's own line, unfolded."""

    signature: str
    title: str
    failures: tuple[Failure, ...]

    @property
    def tests(self) -> tuple[str, ...]:
        """The ids of its tests, each once."""
        return tuple(dict.fromkeys(failure.test for failure in self.failures))


def signature(message: str) -> str:
    """The line of an error that says most, with everything folded that two runs need not share.

    At most 200 characters on one line, the same for the same cause; empty only for an empty message.
    """
    folded = _VOLATILE.sub(_fold, _telling_line(message).translate(_QUOTES))
    return clip(_QUOTED.sub(_fold_quote, " ".join(folded.split())), limit=_LONGEST)


def group(failures: Iterable[Failure]) -> tuple[Group, ...]:
    """Every failure in exactly one group, the biggest group first, equals in order of appearance."""
    together: dict[str, list[Failure]] = {}
    for failure in failures:
        together.setdefault(signature(failure.message), []).append(failure)
    made = (
        Group(
            signature=shared,
            title=clip(_telling_line(members[0].message), limit=_LONGEST) or "no message",
            failures=tuple(members),
        )
        for shared, members in together.items()
    )
    return tuple(sorted(made, key=lambda one: -len(one.failures)))


def failures_of(run: RunState) -> tuple[Failure, ...]:
    """What went wrong in the tests that failed: their bad cases, else the test itself."""
    return tuple(
        failure
        for test in run.tests
        if end_of_test(test, run=run).status is Status.FAILED
        for failure in _failures(test, run=run)
    )


def _failures(test: TestState, *, run: RunState) -> list[Failure]:
    why = end_of_test(test, run=run).message or ""
    bad = [
        Failure(
            test=test.test.id, case=case.id, message=case.message or why, file=case.file, line=line_of(case)
        )
        for case in test.cases
        if case.bad
    ]
    return bad or [Failure(test=test.test.id, message=why or test.error or "")]


def _telling_line(message: str) -> str:
    """The first line that means something; with the one after it where it only names its kind."""
    lines = [_MARK.sub("", line).strip() for line in lines_that_matter(message, limit=_LINES)]
    telling = [line for line in lines if not _SAYS_NOTHING.match(line)]
    if len(telling) > 1 and _GENERIC.match(telling[0]):
        return f"{telling[0]} {telling[1]}"
    return next(iter(telling), next(iter(lines), ""))


def _fold(found: re.Match[str]) -> str:
    kind, text = found.lastgroup or "", found.group()
    if kind == "scheme":
        return text
    if kind == "path":
        name = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
        return f"<path>/{re.sub(r'[0-9]+', '<n>', name)}"
    return _FOLDED.get(kind, "<n>")


def _fold_quote(found: re.Match[str]) -> str:
    """A quoted word says what it was about (``KeyError: 'user'``); a quoted text only how it came out."""
    text = found.group(1)
    return found.group() if len(text) <= _LONG_QUOTE and " " not in text else "'…'"

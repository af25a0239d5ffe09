"""Reads a JUnit XML file: cases are counted one by one, the totals that a file claims are a cross-check.

XML from a child is not to be trusted: a document type (and with it every entity) is refused, and size,
depth and the number of cases are bounded.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.parsers import expat

from e2e_orchestrator.model.outcomes import Case, CaseStatus
from e2e_orchestrator.parsers.text import message, short_id, unique, without_last_word
from e2e_orchestrator.parsers.values import seconds
from e2e_orchestrator.safety.regular import open_regular

_BIGGEST = 256 << 20
_CHUNK = 1 << 16
_DEEPEST = 100
_MOST_CASES = 250_000
_KEPT_TEXT = 64 * 1024
_LONGEST_SHOWN = 40
_OUTCOMES = {
    "failure": CaseStatus.FAILED,
    "error": CaseStatus.ERROR,
    "skipped": CaseStatus.SKIPPED,
    "flakyFailure": CaseStatus.FLAKY,
    "flakyError": CaseStatus.FLAKY,
}
# Of several outcomes of one case the first of these decides.
_WORST_FIRST = (CaseStatus.ERROR, CaseStatus.FAILED, CaseStatus.SKIPPED, CaseStatus.XFAILED, CaseStatus.FLAKY)


@dataclass(frozen=True, slots=True, kw_only=True)
class JUnitReport:
    """``claimed_failures`` is the sum of what the suites say of themselves; it may count more than cases."""

    cases: tuple[Case, ...]
    claimed_failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BadJUnit:
    """``why`` completes the sentence "the JUnit file ..."."""

    why: str


class _RefusedError(Exception):
    pass


@dataclass(slots=True)
class _Testcase:
    attributes: Mapping[str, str]
    outcomes: list[tuple[CaseStatus, str]] = field(default_factory=list)


class _Reader:
    """Feeds on a file in pieces; only the cases stay in memory."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.claimed = 0
        self._path: list[str] = []
        self._case: _Testcase | None = None
        self._text: list[str] | None = None
        self._kept = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    def feed(self, data: bytes, *, final: bool) -> None:
        self._parser.Parse(data, final)

    def _refuse_doctype(self, *_: object) -> None:
        raise _RefusedError("has a document type declaration, which is refused")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        if len(self._path) > _DEEPEST:
            raise _RefusedError(f"is nested more than {_DEEPEST} levels deep")
        if len(self._path) == 1 and tag not in ("testsuites", "testsuite"):
            shown = f"<{tag}>" if len(tag) <= _LONGEST_SHOWN else f"a tag of {len(tag)} letters"
            raise _RefusedError(f"begins with {shown}, not with <testsuites> or <testsuite>")
        if tag == "testcase":
            self._case = _Testcase(attributes)
        elif tag == "testsuite":
            self.claimed += _count(attributes.get("failures")) + _count(attributes.get("errors"))
        elif self._case is not None and tag in _OUTCOMES:
            status = _OUTCOMES[tag]
            if attributes.get("type") == "pytest.xfail":
                status = CaseStatus.XFAILED
            self._case.outcomes.append((status, attributes.get("message", "")))
            self._text, self._kept = [], 0

    def _data(self, data: str) -> None:
        if self._text is not None and self._kept < _KEPT_TEXT:
            self._text.append(data[:_KEPT_TEXT])
            self._kept += len(data)

    def _end(self, tag: str) -> None:
        self._path.pop()
        case = self._case
        if case is None:
            return
        if tag in _OUTCOMES and self._text is not None:
            status, said = case.outcomes[-1]
            body = "".join(self._text)
            if self._kept >= _KEPT_TEXT:
                body = without_last_word(body)
            body = body.strip()
            both = body if said in body else f"{said}\n{body}".strip()
            case.outcomes[-1] = (status, both)
            self._text = None
        elif tag == "testcase":
            self.cases.append(_case(case))
            self._case = None
            if len(self.cases) > _MOST_CASES:
                raise _RefusedError(f"has more than {_MOST_CASES} cases")


def _case(testcase: _Testcase) -> Case:
    attributes = testcase.attributes
    names = [attributes.get("classname", ""), attributes.get("name", "")]
    said = "\n\n".join(text for _, text in testcase.outcomes if text)
    statuses = {status for status, _ in testcase.outcomes}
    return Case(
        id=short_id("::".join(name for name in names if name) or "unnamed"),
        status=next((status for status in _WORST_FIRST if status in statuses), CaseStatus.PASSED),
        duration=_seconds(attributes.get("time")),
        message=message(said) or None,
        file=attributes.get("file") or None,
        line=_count(attributes.get("line")) or None,
    )


def _count(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


def _seconds(text: str | None) -> float:
    try:
        return seconds(float((text or "0").replace(",", "")))
    except ValueError:
        return 0.0


def read_junit(path: Path) -> JUnitReport | BadJUnit | None:
    """None if there is no such file."""
    reader = _Reader()
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > _BIGGEST:
                return BadJUnit(why=f"is larger than {_BIGGEST >> 20} MB")
            while data := file.read(_CHUNK):
                reader.feed(data, final=False)
        reader.feed(b"", final=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        return BadJUnit(why=f"cannot be read: {error.strerror}")
    except _RefusedError as refused:
        return BadJUnit(why=str(refused))
    except expat.ExpatError as error:
        return BadJUnit(why=f"is no XML: {error}")
    ids = unique(case.id for case in reader.cases)
    named = tuple(replace(case, id=identity) for case, identity in zip(reader.cases, ids, strict=True))
    return JUnitReport(cases=named, claimed_failures=reader.claimed)

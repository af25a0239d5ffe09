"""Puts the HTML report together: the built page, and what it is to show, packed so that no text can end a script."""

import base64
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.reporters.html_data import document
from e2e_orchestrator.reporters.html_details import Evidence, detail, noteworthy, pictures
from e2e_orchestrator.reporters.html_logs import OF_BAD, OF_GOOD, Measure, logs_of, size_of_logs
from e2e_orchestrator.reporters.html_moments import Moments, ServiceSpan

SOFT, HARD = 10 << 20, 25 << 20
_HERE = "<!--REPORT-->"
_LEVEL = 6
_SMALLEST = 1 << 10
_LOGS = "logs of services"
# Letters of a case's name: all, and fewer where tens of thousands of them alone would fill the file.
_NAMES = (None, 400, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything but the way to the files beside it, which differs with the place that it is written to."""

    head: str
    blocks: tuple[str, ...]
    tail: str

    def at(self, folder: str) -> bytes:
        """``folder`` leads from the page to the output folder: empty, or a relative path with a slash."""
        place = _block("files", folder.encode("utf-8", "replace"))
        return "".join((self.head, place, *self.blocks, self.tail)).encode()


@dataclass(slots=True)
class _Load:
    """Blocks as long as there is room; what found none is counted, by what it was."""

    size: int
    blocks: list[str] = field(default_factory=list)
    left: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, data: bytes, *, limit: int, kind: str, where: str) -> None:
        block = _block(name, data)
        if self.size + len(block) <= limit:
            self.blocks.append(block)
            self.size += len(block)
            return
        self.leave(len(data), kind=kind, where=where)

    def leave(self, size: int, *, kind: str, where: str) -> None:
        if size:
            told = self.left.setdefault(kind, {"kind": kind, "count": 0, "bytes": 0, "where": where})
            told["count"] += 1
            told["bytes"] += size

    def full(self, limit: int) -> bool:
        return self.size + _SMALLEST > limit


def page(run: RunState, moments: Moments, *, evidence: Evidence, soft: int = SOFT, hard: int = HARD) -> Page:
    """The report within its budget, in bytes: up to ``soft`` anything, up to ``hard`` only what failed."""
    head, _, tail = _template().partition(_HERE)
    told, names = _named(document(run, moments), limit=hard // 2)
    load = _Load(size=len(head) + len(tail) + len(_block("run", _packed(told))))
    if names:
        load.left["names"] = {
            "kind": f"the middle of names of more than {names} letters",
            "count": sum(len(test.cases) for test in run.tests),
            "bytes": 0,
            "where": "e2e-results.json",
        }
    tests = list(enumerate(run.tests))
    important = [(at, test) for at, test in tests if noteworthy(test)]
    others = [(at, test) for at, test in tests if test.attempts and not noteworthy(test)]
    _add_details(load, important, evidence=evidence, limit=hard, names=names)
    _add_logs(load, important, evidence=evidence, measure=OF_BAD, limit=hard)
    _add_ends(load, moments.services, evidence=evidence, limit=hard)
    _add_pictures(load, important, evidence=evidence, limit=hard)
    _add_details(load, others, evidence=evidence, limit=soft, names=names)
    _add_logs(load, others, evidence=evidence, measure=OF_GOOD, limit=soft)
    _add_pictures(load, others, evidence=evidence, limit=soft)
    told["left"] = list(load.left.values())
    return Page(head=head, blocks=(_block("run", _packed(told)), *load.blocks), tail=tail)


def _named(told: dict[str, Any], *, limit: int) -> tuple[dict[str, Any], int | None]:
    """The run's own block, with names as long as the file can bear, and how long these are."""
    for names in _NAMES:
        named = _with_names(told, names)
        if len(_packed(named)) * 4 // 3 <= limit:
            return named, names
    return named, names


def _with_names(told: Any, most: int | None) -> Any:
    """``ids`` everywhere in it are the names of cases; the same name is cut in the same way wherever it stands."""
    if most is None:
        return told
    if isinstance(told, dict):
        return {
            key: [_cut(one, most) for one in value] if key == "ids" else _with_names(value, most)
            for key, value in told.items()
        }
    return [_with_names(one, most) for one in told] if isinstance(told, list) else told


def _cut(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    mark = f"…{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}…"
    half = (most - len(mark)) // 2
    return f"{name[:half]}{mark}{name[-half:]}"


def _add_details(
    load: _Load, tests: list[tuple[int, TestState]], *, evidence: Evidence, limit: int, names: int | None
) -> None:
    for at, test in tests:
        data = _packed(_with_names(detail(test, evidence=evidence), names))
        load.add(f"test-{at}", data, limit=limit, kind="output and messages of tests", where="runs/")


def _add_pictures(load: _Load, tests: list[tuple[int, TestState]], *, evidence: Evidence, limit: int) -> None:
    for _, test in tests:
        for attachment in pictures(test):
            data = evidence.picture(attachment)
            if data is not None:
                name = f"file-{attachment.path}"
                load.add(name, data, limit=limit, kind="pictures", where=attachment.path)


def _add_logs(
    load: _Load, tests: list[tuple[int, TestState]], *, evidence: Evidence, measure: Measure, limit: int
) -> None:
    for at, test in tests:
        if load.full(limit):  # Nobody reads the logs of a thousand tests to throw them away.
            load.leave(size_of_logs(test), kind=_LOGS, where="runs/")
        elif found := logs_of(test, evidence=evidence, measure=measure):
            load.add(f"logs-{at}", _packed(found), limit=limit, kind=_LOGS, where="runs/")


def _add_ends(load: _Load, services: Mapping[str, ServiceSpan], *, evidence: Evidence, limit: int) -> None:
    """How the logs of those services end that failed: no attempt may have been there to see it."""
    for name, span in services.items():
        if span.failed is None:
            continue
        if text := (evidence.end(span.log) if span.log else "") or span.tail:
            data = _packed({"text": text})
            load.add(f"log-{name}", data, limit=limit, kind=_LOGS, where=span.log or "")


def _template() -> str:
    return (files("e2e_orchestrator.reporters") / "html_app" / "app.html").read_text(encoding="utf-8")


def _packed(value: Any) -> bytes:
    """Lone surrogates become question marks."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode("utf-8", "replace"), _LEVEL)


def _block(name: str, data: bytes) -> str:
    """Base64 in name and content: whatever a test is called, neither can hold a quote or a bracket."""
    name = base64.urlsafe_b64encode(name.encode("utf-8", "replace")).decode()
    content = base64.b64encode(data).decode()
    return f'<script type="application/octet-stream" data-name="{name}">{content}</script>\n'


def way(page: Path, output: Path) -> str:
    """From the folder of a page to the output folder, for its links."""
    steps = Path(os.path.relpath(output, page.parent)).as_posix()  # pathlib walks up only since 3.12.
    return "" if steps == "." else f"{steps}/"

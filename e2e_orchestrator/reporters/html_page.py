"""Puts the HTML report together: the built page, and what it is to show, packed so that no text can end a script."""

import base64
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from e2e_orchestrator.model.plan import Screenshots
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.reporters.html_data import document
from e2e_orchestrator.reporters.html_details import Evidence, detail, noteworthy, pictures
from e2e_orchestrator.reporters.html_moments import Moments, ServiceSpan

SOFT, HARD = 10 << 20, 25 << 20
_HERE = "<!--REPORT-->"
_LEVEL = 6


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
        told = self.left.setdefault(kind, {"kind": kind, "count": 0, "bytes": 0, "where": where})
        told["count"] += 1
        told["bytes"] += len(data)


def page(run: RunState, moments: Moments, *, evidence: Evidence, soft: int = SOFT, hard: int = HARD) -> Page:
    """The report within its budget, in bytes: up to ``soft`` anything, up to ``hard`` only what failed."""
    head, _, tail = _template().partition(_HERE)
    told = document(run, moments)
    load = _Load(size=len(head) + len(tail) + len(_block("run", _packed(told))))
    tests = list(enumerate(run.tests))
    important = [(at, test) for at, test in tests if noteworthy(test)]
    others = [(at, test) for at, test in tests if test.attempts and not noteworthy(test)]
    _add_details(load, important, run=run, evidence=evidence, limit=hard)
    _add_pictures(load, important, run=run, evidence=evidence, limit=hard)
    _add_logs(load, moments.services, evidence=evidence, limit=hard)
    _add_details(load, others, run=run, evidence=evidence, limit=soft)
    _add_pictures(load, others, run=run, evidence=evidence, limit=soft)
    told["left"] = list(load.left.values())
    return Page(head=head, blocks=(_block("run", _packed(told)), *load.blocks), tail=tail)


def _add_details(
    load: _Load, tests: list[tuple[int, TestState]], *, run: RunState, evidence: Evidence, limit: int
) -> None:
    if run.plan is None:
        return
    for at, test in tests:
        data = _packed(detail(test, plan=run.plan, evidence=evidence))
        load.add(f"test-{at}", data, limit=limit, kind="output and messages of tests", where="runs/")


def _add_pictures(
    load: _Load, tests: list[tuple[int, TestState]], *, run: RunState, evidence: Evidence, limit: int
) -> None:
    if run.plan is None or run.plan.artifacts.screenshots is Screenshots.NEVER:
        return
    for _, test in tests:
        for attachment in pictures(test):
            data = evidence.picture(attachment)
            if data is not None:
                name = f"file-{attachment.path}"
                load.add(name, data, limit=limit, kind="pictures", where=attachment.path)


def _add_logs(load: _Load, services: Mapping[str, ServiceSpan], *, evidence: Evidence, limit: int) -> None:
    for name, span in services.items():
        text = evidence.log(span.log) if span.log else None
        text = span.tail if text is None else text
        if text:
            data = _packed({"text": text})
            load.add(f"log-{name}", data, limit=limit, kind="logs of services", where=span.log or "")


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

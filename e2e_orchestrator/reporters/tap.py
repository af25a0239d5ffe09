"""The run as ``results.tap``: version 14 of the Test Anything Protocol."""

import json
import re
from collections.abc import Iterator

from e2e_orchestrator.reporters.entries import Entry, Result, entries_of_phase, entries_of_run
from e2e_orchestrator.reporters.file_report import FileReport
from e2e_orchestrator.reporters.paths import source
from e2e_orchestrator.reporters.text import lines_that_matter, one_line

_NAME, _LINES = 400, 30
# What would be a comment, a directive or an escape; https://testanything.org/tap-version-14-specification.html.
_SPECIAL = re.compile(r"[\\#]")


class TapReporter(FileReport):
    file = "results.tap"

    def render(self) -> bytes:
        entries = [one for phase in self.run.phases for one in entries_of_phase(phase, run=self.run)]
        entries += entries_of_run(self.run)
        lines = ["TAP version 14", f"1..{len(entries)}"]
        for number, entry in enumerate(entries, start=1):
            lines.extend(self._point(number, entry))
        return "".join(f"{line}\n" for line in lines).encode()

    def _point(self, number: int, entry: Entry) -> Iterator[str]:
        name = f"{entry.suite}/{entry.group}"
        if not (entry.own and entry.name == entry.group):
            name += f": {entry.name}"
        word = "not ok" if entry.bad else "ok"
        yield f"{word} {number} - {_escaped(one_line(name, limit=_NAME))}{_directive(entry)}"
        if entry.bad or entry.result is Result.FLAKY:
            yield "  ---"
            yield from self._diagnosis(entry)
            yield "  ..."

    def _diagnosis(self, entry: Entry) -> Iterator[str]:
        """YAML, every text of it as JSON has it."""
        yield f"  severity: {'fail' if entry.bad else 'comment'}"
        yield f"  status: {_quoted(entry.raw)}"
        lines = lines_that_matter(entry.message or "", limit=_LINES)
        yield f"  message: {_quoted(chr(10).join(lines))}"
        if entry.tries:
            yield f"  attempts: {entry.tries[-1].number}"
        if entry.duration >= 0:
            yield f"  duration_ms: {min(entry.duration, 1e9) * 1000:.3f}"
        if entry.file and entry.test:
            file = source(entry.file, test=entry.test.test, plan=self.run.plan, environ=self.context.environ)
            yield "  at:"
            yield f"    file: {_quoted(one_line(file, limit=_NAME))}"
            yield f"    line: {entry.line or 1}"
        if entry.attachments:
            yield "  attachments:"
            places = (place for one in entry.attachments for place in (one.path, one.url) if place)
            yield from (f"    - {_quoted(one_line(place, limit=_NAME))}" for place in places)


def _directive(entry: Entry) -> str:
    if entry.result is not Result.SKIPPED:
        return ""
    why = _escaped(one_line(entry.message or entry.raw, limit=_NAME))
    return f" # SKIP {why}".rstrip()


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found.group()}", text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

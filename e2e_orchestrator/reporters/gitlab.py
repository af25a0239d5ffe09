"""What GitLab shows in a merge request: its unit test report, and failures at their lines as code quality."""

import json
from hashlib import sha256
from typing import Any

from e2e_orchestrator.reporters.entries import Entry, Result, entries_of_test
from e2e_orchestrator.reporters.file_report import FileReport
from e2e_orchestrator.reporters.groups import signature
from e2e_orchestrator.reporters.junit_xml import Junit
from e2e_orchestrator.reporters.paths import source
from e2e_orchestrator.reporters.text import first_line, one_line

QUALITY = "gl-code-quality-report.json"

_MOST = 500
_DESCRIPTION, _NAME = 500, 200
_NO_FILE = "."


class GitlabReporter(FileReport):
    """Two files; ``gitlab=FOLDER`` puts both elsewhere."""

    file = "gl-junit-report.xml"

    async def close(self) -> None:
        if self.context.path is not None and not self._closed:
            self.context.path.mkdir(parents=True, exist_ok=True)
        first = not self._closed
        await super().close()
        if first:
            self.put(QUALITY, self._quality())

    def render(self) -> bytes:
        return Junit(run=self.run, context=self.context, timestamp=self.timestamp).render()

    def _quality(self) -> bytes:
        """https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""
        found = [
            self._issue(entry)
            for test in self.run.tests
            for entry in entries_of_test(test, run=self.run)
            if entry.test is not None and (entry.bad or entry.result is Result.FLAKY)
        ]
        return json.dumps(found[:_MOST], indent=1, ensure_ascii=False).encode() + b"\n"

    def _issue(self, entry: Entry) -> dict[str, Any]:
        """The fingerprint stays from run to run as long as the error does, so that GitLab can tell what is new."""
        assert entry.test is not None  # noqa: S101 - asked before.
        test, said = entry.test.test, first_line(entry.message or entry.raw, limit=_DESCRIPTION)
        file = entry.file or test.target.partition("::")[0]
        path = source(file, test=test, plan=self.run.plan, environ=self.context.environ)
        path = path.removeprefix("./").lstrip("/") or _NO_FILE  # GitLab refuses paths that start elsewhere.
        known = "\0".join((test.id, entry.name, entry.result, signature(entry.message or "")))
        flaky = entry.result is Result.FLAKY
        return {
            "description": f"{one_line(entry.name, limit=_NAME)}{' is flaky' if flaky else ''}: {said}",
            "check_name": f"e2e/{entry.result}",
            "fingerprint": sha256(known.encode("utf-8", "replace")).hexdigest(),
            "severity": "minor" if flaky else "major",
            "location": {"path": one_line(path, limit=_DESCRIPTION), "lines": {"begin": entry.line or 1}},
        }

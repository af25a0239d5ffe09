"""The run as ``summary.md``: for merge requests, wikis and whoever reads text."""

from e2e_orchestrator.reporters.file_report import FileReport
from e2e_orchestrator.reporters.markdown_summary import summary

_BUDGET = 5_000_000


class MarkdownReporter(FileReport):
    file = "summary.md"

    def render(self) -> bytes:
        return summary(self.run, environ=self.context.environ, budget=_BUDGET).encode()

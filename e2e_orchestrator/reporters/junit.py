"""The run as ``junit.xml``, for every tool that reads JUnit's format."""

from e2e_orchestrator.reporters.file_report import FileReport
from e2e_orchestrator.reporters.junit_xml import Junit


class JunitReporter(FileReport):
    file = "junit.xml"

    def render(self) -> bytes:
        return Junit(run=self.run, context=self.context, timestamp=self.timestamp).render()

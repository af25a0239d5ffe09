"""The report that people open: one HTML file that needs no server, no network and no other file."""

from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.html_details import Evidence
from e2e_orchestrator.reporters.html_moments import Moments
from e2e_orchestrator.reporters.html_page import page, way
from e2e_orchestrator.safety.files import write_where_told, write_whole

REPORT = "e2e-report.html"


class HtmlReporter:
    """Writes ``e2e-report.html`` once, at the end: into the run's folder and, as the newest, to the output."""

    mandatory = True

    def __init__(self, context: ReporterContext) -> None:
        self._context = context
        self._run = RunState()
        self._moments = Moments()
        self._closed = False

    async def handle(self, envelope: Envelope) -> None:
        self._run.apply(envelope)
        self._moments.apply(envelope)

    async def close(self) -> None:
        """Raises OSError if the report cannot be written."""
        if self._closed:
            return
        self._closed = True
        self._write()

    def _write(self) -> None:
        context = self._context
        made = page(self._run, self._moments, evidence=Evidence(root=context.root))
        own = context.run_folder / REPORT
        write_whole(own, made.at(way(own, context.root)))
        if context.path is None:
            newest = context.output / REPORT
            write_whole(newest, made.at(way(newest, context.root)))
        else:
            asked = context.path / REPORT if context.path.is_dir() else context.path
            write_where_told(asked, made.at(way(asked.absolute(), context.root)))

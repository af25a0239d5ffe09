"""What all reports that are one file have in common: the fold, and where the file goes."""

from typing import ClassVar

from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.safety.files import write_where_told, write_whole


class FileReport:
    """Writes ``render()`` once, at the end: into the run's folder and, as the newest, to the output.

    Whoever asks for a file gates on it, so that one that cannot be written is not passed over.
    """

    mandatory = True
    file: ClassVar[str]

    def __init__(self, context: ReporterContext) -> None:
        self.context = context
        self.run = RunState()
        self.timestamp = ""
        self._closed = False

    def render(self) -> bytes:
        """The whole report of ``self.run``."""
        raise NotImplementedError

    async def handle(self, envelope: Envelope) -> None:
        self.run.apply(envelope)
        self.timestamp = self.run.started_at or self.timestamp or envelope.at

    async def close(self) -> None:
        """Raises OSError if the report cannot be written."""
        if self._closed:
            return
        self._closed = True
        self.put(self.file, self.render())

    def put(self, file: str, data: bytes) -> None:
        asked = self.context.path
        write_whole(self.context.run_folder / file, data)
        if asked is None:
            write_whole(self.context.output / file, data)
        else:
            write_where_told(asked / file if asked.is_dir() else asked, data)

"""Writes the journal: one envelope a line, there for every reader as soon as it is written."""

import os
from pathlib import Path

from e2e_orchestrator.model.events import Envelope, PhaseFinished, RunFinished, RunStarted, encode

_SYNCED = (RunStarted, PhaseFinished, RunFinished)


class JournalWriter:
    """Each line reaches the kernel whole and at once, so it survives our own death; phases reach the disk.

    Raises OSError when the file cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def append(self, envelope: Envelope) -> None:
        line = memoryview(encode(envelope) + b"\n")
        while line:
            line = line[os.write(self._fd, line) :]
        if isinstance(envelope.event, _SYNCED):
            os.fsync(self._fd)

    def close(self) -> None:
        os.close(self._fd)

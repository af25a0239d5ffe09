"""What a child prints, on its way to a file. Standard library only: the keeper loads it by its path."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from e2e_orchestrator.safety.masking import Stream

NOTED_SECONDS = 0.05


class Pump:
    """Carries a child's output to its file: in whole lines where it can, with the secrets masked."""

    def __init__(self, path: str, stream: Stream, *, times: str | None = None) -> None:
        """``times`` names a file of lines: seconds since 1970, and the byte of the output that came then."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self.fd = os.open(path, flags, 0o644)
        self.lost: str | None = None
        self._stream = stream
        self._times = os.open(times, flags, 0o644) if times else None
        self._noted = 0.0

    def feed(self, data: bytes) -> None:
        self._write(self._stream.feed(data))

    def close(self) -> None:
        self._write(self._stream.end())
        os.close(self.fd)
        if self._times is not None:
            os.close(self._times)

    def _note(self) -> None:
        now = time.time()  # It may have been set back since the last note.
        if self._times is not None and abs(now - self._noted) >= NOTED_SECONDS:
            self._noted = now
            try:
                os.write(self._times, b"%.3f %d\n" % (now, os.fstat(self.fd).st_size))
            except OSError:
                pass  # The times are a convenience; the output itself says that the disk is full.

    def _write(self, data: bytes) -> None:
        if data:
            self._note()
        while data and not self.lost:
            try:
                data = data[os.write(self.fd, data) :]
            except OSError as error:  # A full disk must not stop the child: go on reading, say it once.
                self.lost = error.strerror

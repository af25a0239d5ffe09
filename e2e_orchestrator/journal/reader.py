"""Reads a journal back, also one whose writer was killed in the middle of a line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model.events import SCHEMA, Envelope, RunStarted, decode


@dataclass(slots=True)
class JournalReader:
    """Iterate over it once; afterwards ``torn`` tells of a cut last line, ``unknown`` of lines of a newer kind.

    A torn line is left out: whoever wrote it was killed before anybody could act on it.
    """

    path: Path
    torn: bool = False
    unknown: int = 0
    _last: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[Envelope]:
        """Raises UsageError for what is no journal, is newer than this program, or has a hole in its numbers."""
        try:
            with self.path.open("rb") as lines:
                yield from self._envelopes(lines)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be read: {error.strerror}",
                hint="give a run's id, its folder, or the journal.jsonl in it",
            ) from error

    def _envelopes(self, lines: Iterator[bytes]) -> Iterator[Envelope]:
        for number, line in enumerate(lines, start=1):
            # A power cut may leave zeros where a line was promised room.
            if not line.endswith(b"\n") or not line.strip(b"\0\n"):
                self.torn = True
                return
            envelope = self._decoded(line, number)
            if envelope is not None:
                yield envelope

    def _decoded(self, line: bytes, number: int) -> Envelope | None:
        """None for an event of a newer minor version, which this program need not know."""
        try:
            envelope = decode(line)
        except ValueError:
            self._follows(*self._numbered(line, number), line=number)
            self.unknown += 1
            return None
        self._follows(envelope.seq, envelope.schema, line=number)
        if number == 1 and not isinstance(envelope.event, RunStarted):
            raise self._no_journal(number, "a journal opens with run_started")
        return envelope

    def _numbered(self, line: bytes, number: int) -> tuple[int, int]:
        """The number and the schema of an event that could not be read as a whole."""
        try:
            raw: Any = json.loads(line)
        except (ValueError, RecursionError):
            raw = None
        match raw:
            case {"seq": int(seq), "schema": int(schema), "event": {"type": str()}} if number > 1:
                return seq, schema
            case {"schema": int(schema)} if schema > SCHEMA:
                return number, schema
            case _:
                raise self._no_journal(number, "this line is no event of a journal")

    def _follows(self, seq: int, schema: int, *, line: int) -> None:
        if schema > SCHEMA:
            raise UsageError(
                f"{self.path}:{line}: written by a newer version: its schema is {schema}, this one reads {SCHEMA}",
                hint="upgrade e2e-orchestrator to the version that wrote it, which its first line tells",
            )
        if seq != self._last + 1:
            raise UsageError(
                f"{self.path}:{line}: event {seq} follows event {self._last}: the journal has a hole",
                hint="this file was cut or edited; use the one in the run's own folder",
            )
        self._last = seq

    def _no_journal(self, line: int, what: str) -> UsageError:
        return UsageError(
            f"{self.path}:{line}: {what}", hint="give a run's id, its folder, or the journal.jsonl in it"
        )

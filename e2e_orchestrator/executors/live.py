"""Follows an attempt while it runs: tells of its cases, and loses patience where the plan says so."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.model.command import AttemptSpec, Limit
from e2e_orchestrator.model.events import CaseFinished, CaseStarted, TestSlow
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.parsers.case_stream import (
    MOST_BYTES,
    CaseStreamReader,
    Finished,
    SessionFinished,
    Started,
)
from e2e_orchestrator.process.output import size_of
from e2e_orchestrator.protocols import Emit
from e2e_orchestrator.safety.regular import open_regular

_LOOK_SECONDS = 0.1
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Which patience was lost, and how many seconds it had."""

    limit: Limit
    seconds: float


@dataclass(slots=True, kw_only=True)
class Live:
    """What an attempt says while it runs. Provisional: the record is what the runner makes of the evidence."""

    test: Test
    spec: AttemptSpec
    output: Path
    emit: Emit
    clock: Clock
    _reader: CaseStreamReader = field(default_factory=CaseStreamReader)
    _position: int = 0
    _printed: int = 0
    _started: float = 0.0
    _active: float = 0.0
    _finished: float | None = None

    async def lost_patience(self) -> Patience:
        """Follows the attempt for as long as there is patience; cancel it when the process has ended."""
        self._started = self._active = self.clock.monotonic()
        slow_after = self.test.watch.slow_after
        slow_at = self._started + slow_after if slow_after else None
        while True:
            await self.clock.sleep(_LOOK_SECONDS)
            await self.catch_up()
            now = self.clock.monotonic()
            if slow_at is not None and slow_after and now >= slow_at:
                slow_at += slow_after
                await self.emit(
                    TestSlow(test=self.test.id, attempt=self.spec.number, elapsed=now - self._started)
                )
            if lost := self._lost(now):
                return lost

    def _lost(self, now: float) -> Patience | None:
        watch = self.test.watch
        if watch.exit_after and self._finished is not None and now - self._finished >= watch.exit_after:
            return Patience(limit=Limit.EXIT, seconds=watch.exit_after)
        if watch.stall_after and self._finished is None and now - self._active >= watch.stall_after:
            return Patience(limit=Limit.STALL, seconds=watch.stall_after)
        return None

    @property
    def _readable(self) -> bool:
        return self._position < MOST_BYTES and not self._reader.gave_up

    async def catch_up(self) -> None:
        """Reads what is new and passes it on."""
        while self._readable and (data := read_from(self.spec.events, self._position)):
            self._position += len(data)
            self._active = self.clock.monotonic()
            await self.clock.sleep(0)  # Whoever floods the stream must not stop the others.
            for event in self._reader.feed(data):
                match event:
                    case Started(id=case_id):
                        await self.emit(
                            CaseStarted(test=self.test.id, attempt=self.spec.number, case=case_id)
                        )
                    case Finished(case=case):
                        bare = replace(case, attachments=())
                        await self.emit(CaseFinished(test=self.test.id, attempt=self.spec.number, case=bare))
                    case SessionFinished():
                        self._finished = self.clock.monotonic()
        printed = size_of(self.output)
        if printed != self._printed:
            self._printed, self._active = printed, self.clock.monotonic()


def read_from(path: Path, position: int) -> bytes:
    """Some of what stands behind the position; empty if nothing does."""
    try:
        with open_regular(path) as file:
            file.seek(position)
            return file.read(_CHUNK)
    except OSError:
        return b""  # Not there yet, or a test took it away: the judge will say so.

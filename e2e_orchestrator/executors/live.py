"""Follows an attempt while it runs: tells of its cases, and loses patience where the plan says so."""

from dataclasses import dataclass, field, replace

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.executors.following import Following
from e2e_orchestrator.model.command import AttemptSpec, Limit
from e2e_orchestrator.model.events import CaseFinished, CaseStarted, TestSlow
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.parsers.case_stream import (
    Finished,
    SessionFinished,
    Started,
    StreamEvent,
)
from e2e_orchestrator.process.output import size_of
from e2e_orchestrator.protocols import Emit

_LOOK_SECONDS = 0.1


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
    emit: Emit
    clock: Clock
    _following: Following = field(init=False)
    _printed: int = 0
    _started: float = 0.0
    _active: float = 0.0
    _finished: float | None = None

    def __post_init__(self) -> None:
        self._following = Following(events=self.spec.events, tell=self._tell, clock=self.clock)

    async def lost_patience(self) -> Patience:
        """Follows the attempt for as long as there is patience; cancel it when the process has ended."""
        self._started = self._active = self.clock.monotonic()
        slow_after = self.test.watch.slow_after
        slow_at = self._started + slow_after if slow_after else None
        while True:
            await self.clock.sleep(_LOOK_SECONDS)
            await self._following.look()
            self._notice()
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

    async def catch_up(self) -> None:
        """Tells what was not told yet, once the process has ended."""
        await self._following.catch_up()

    def _notice(self) -> None:
        self._active = max(self._active, self._following.moved)
        printed = size_of(self.spec.output)
        if printed != self._printed:
            self._printed, self._active = printed, self.clock.monotonic()

    async def _tell(self, event: StreamEvent) -> None:
        match event:
            case Started(id=case_id):
                await self.emit(CaseStarted(test=self.test.id, attempt=self.spec.number, case=case_id))
            case Finished(case=case):
                bare = replace(case, attachments=())
                await self.emit(CaseFinished(test=self.test.id, attempt=self.spec.number, case=bare))
            case SessionFinished():
                self._finished = self.clock.monotonic()
            case _:
                pass

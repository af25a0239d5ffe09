"""Follows a pack while it runs: each test's cases, its own clock, and the patience with each and with all."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.executors.following import Following
from e2e_orchestrator.executors.live import Patience
from e2e_orchestrator.model.command import AttemptSpec, Limit
from e2e_orchestrator.model.events import CaseFinished, CaseStarted, TestSlow
from e2e_orchestrator.model.packs import PackSpec
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.parsers.case_stream import (
    Finished,
    Retried,
    SessionFinished,
    Started,
    StreamEvent,
)
from e2e_orchestrator.parsers.packed_stream import PackedEvidence
from e2e_orchestrator.process.ending import Grace
from e2e_orchestrator.process.output import size_of
from e2e_orchestrator.protocols import Begin, Emit

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Impatience:
    """With which tests patience was lost, by id; or with the pack, while none of its cases ran."""

    tests: dict[str, Patience] = field(default_factory=dict)
    whole: Patience | None = None


@dataclass(slots=True, kw_only=True)
class Member:
    """A test of the pack. Its clock stands still while none of its own cases runs."""

    test: Test
    spec: AttemptSpec
    started_at: str | None = None
    running: set[str] = field(default_factory=set)
    _before: float = 0.0
    _since: float = 0.0
    _active: float = 0.0
    _printed: int = 0
    _slow_at: float = 0.0

    def start(self, case: str, *, now: float) -> None:
        if not self.running:
            self._since = now
        self.running.add(case)
        self._active = now

    def stop(self, case: str, *, now: float) -> None:
        if case in self.running:
            self.running.discard(case)
            if not self.running:
                self._before += now - self._since
        self._active = now

    def busy(self, now: float) -> float:
        """Seconds in which at least one of its cases ran."""
        return self._before + (now - self._since if self.running else 0.0)

    def settle(self, now: float) -> None:
        """Stops the clock of whatever still ran when its process ended."""
        for case in tuple(self.running):
            self.stop(case, now=now)

    def lost(self, now: float, *, grace: Grace) -> Patience | None:
        """The patience that is over, with time left to end it within its limit."""
        timeout, stall = self.test.timeout, self.test.watch.stall_after
        if not self.running:
            return None
        if timeout is not None and self.busy(now) >= timeout - grace.within(timeout).total:
            return Patience(limit=Limit.TEST, seconds=timeout)
        if stall and (printed := size_of(self.spec.output)) != self._printed:
            self._printed, self._active = printed, now
        if stall and now - self._active >= stall:
            return Patience(limit=Limit.STALL, seconds=stall)
        return None

    def slow(self, now: float) -> bool:
        """True each time another ``slow_after`` is over."""
        after = self.test.watch.slow_after
        if not after or self.busy(now) < self._slow_at + after:
            return False
        self._slow_at += after
        return True


@dataclass(slots=True, kw_only=True)
class PackLive:
    """What a pack says while it runs, told as if each of its tests ran alone."""

    spec: PackSpec
    emit: Emit
    begin: Begin
    clock: Clock
    grace: Grace
    members: dict[str, Member] = field(init=False)
    _evidence: PackedEvidence = field(init=False)
    _following: Following = field(init=False)
    _moved: float = 0.0
    _finished: float | None = None

    def __post_init__(self) -> None:
        self.members = {
            test.id: Member(test=test, spec=self.spec.specs[test.id]) for test in self.spec.pack.tests
        }
        self._evidence = PackedEvidence.of(self.members)
        self._following = Following(events=self.spec.events, tell=self._tell, clock=self.clock)

    async def lost_patience(self) -> Impatience:
        """Follows the pack for as long as there is patience; cancel it when the process has ended."""
        self._moved = self.clock.monotonic()
        while True:
            await self._following.look()
            self._moved = max(self._moved, self._following.moved)
            now = self.clock.monotonic()
            for member in self.members.values():
                if member.slow(now):
                    slow = TestSlow(test=member.test.id, attempt=member.spec.number, elapsed=member.busy(now))
                    await self.emit(slow)
            if lost := dict(self._lost(now)):
                return Impatience(tests=lost)
            if whole := self._lost_with_all(now):
                return Impatience(whole=whole)
            await self.clock.sleep(_LOOK_SECONDS)

    def _lost(self, now: float) -> Iterator[tuple[str, Patience]]:
        for one, member in self.members.items():
            if lost := member.lost(now, grace=self.grace):
                yield one, lost

    def _lost_with_all(self, now: float) -> Patience | None:
        """While no case runs nobody's own limit counts; the longest of them is then the pack's."""
        tests = self.spec.pack.tests
        if self._finished is not None:
            leave = max(test.watch.exit_after or inf for test in tests)
            over = now - self._finished >= leave
            return Patience(limit=Limit.EXIT, seconds=leave) if over else None
        if any(member.running for member in self.members.values()):
            self._moved = now
        patience = max(min(test.timeout or inf, test.watch.stall_after or inf) for test in tests)
        over = now - self._moved >= patience
        return Patience(limit=Limit.STALL, seconds=patience) if over else None

    async def catch_up(self) -> None:
        """Tells what was not told yet, once the process has ended."""
        await self._following.catch_up()

    async def _tell(self, event: StreamEvent) -> None:
        self._evidence.apply(event)
        now = self.clock.monotonic()
        match event:
            case Started(id=case, worker=worker):
                for member in self._owners(case):
                    await self._begin(member, worker)
                    member.start(case, now=now)
                    test = member.test.id
                    await self.emit(CaseStarted(test=test, attempt=member.spec.number, case=case))
            case Retried(id=case):
                for member in self._owners(case):
                    member.stop(case, now=now)
            case Finished(case=case_result):
                for member in self._owners(case_result.id):
                    member.stop(case_result.id, now=now)
                    bare = replace(case_result, attachments=())
                    test = member.test.id
                    await self.emit(CaseFinished(test=test, attempt=member.spec.number, case=bare))
            case SessionFinished():
                self._finished = now
            case _:
                pass

    def _owners(self, case: str) -> list[Member]:
        """Those whose own case it is; what runs once for several tests is told with their attempts."""
        owners = self._evidence.owners(case)
        return [self.members[one] for one in owners if case in self._evidence.shares[one].own]

    async def _begin(self, member: Member, worker: int | None) -> None:
        if member.started_at is not None:
            return
        member.started_at = self.clock.now()
        slots = self.spec.slots
        slot = slots[worker] if worker is not None and 0 <= worker < len(slots) else slots[0]
        member.spec = replace(member.spec, slot=slot)
        await self.begin(member.test.id, slot)

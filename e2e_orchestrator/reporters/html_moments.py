"""When things happened: what the fold forgets and the timeline of the HTML report shows. Times in seconds."""

from dataclasses import dataclass, field

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope


@dataclass(slots=True, kw_only=True)
class AttemptSpan:
    number: int
    slot: int
    start: float
    end: float | None = None


@dataclass(slots=True, kw_only=True)
class ServiceSpan:
    start: float
    ready: float | None = None
    failed: float | None = None
    end: float | None = None
    exit_status: int | None = None
    tail: str = ""
    log: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Between two attempts, and why there is a second one."""

    start: float
    number: int
    delay: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment worth a line across the whole timeline."""

    at: float
    kind: str
    text: str
    test: str | None = None


@dataclass(slots=True)
class Moments:
    """Feed it every envelope in order with :meth:`apply`."""

    attempts: dict[str, list[AttemptSpan]] = field(default_factory=dict)
    pauses: dict[str, list[Pause]] = field(default_factory=dict)
    services: dict[str, ServiceSpan] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    _in_slot: dict[int, AttemptSpan] = field(default_factory=dict)

    def apply(self, envelope: Envelope) -> None:
        at = envelope.mono
        match envelope.event:
            case events.AttemptStarted(test=test, number=number, slot=slot):
                self._start_attempt(test, AttemptSpan(number=number, slot=slot, start=at))
            case events.AttemptFinished(test=test, attempt=attempt):
                self._end_attempt(test, attempt.number, at=at)
            case events.RetryScheduled(test=test, number=number, delay=delay, why=why):
                pause = Pause(start=at, number=number, delay=delay, why=why)
                self.pauses.setdefault(test, []).append(pause)
            case events.TestSlow(test=test, elapsed=elapsed):
                self._mark_slow(test, elapsed=elapsed, at=at)
            case events.CancelRequested(why=why):
                self.marks.append(Mark(at=at, kind="cancel", text=why))
            case _:
                self._apply_to_services(envelope)

    def _apply_to_services(self, envelope: Envelope) -> None:
        at = envelope.mono
        match envelope.event:
            case events.ServiceStarted(service=name, log=log):
                if name in self.services:
                    self.marks.append(Mark(at=at, kind="restart", text=f"{name} was started again"))
                self.services[name] = ServiceSpan(start=at, log=log)
            case events.ServiceReady(service=name):
                self._service(name, at=at).ready = at
            case events.ServiceFailed(service=name, message=message, tail=tail, log=log):
                span = self._service(name, at=at)
                span.failed, span.tail, span.log = at, tail, log or span.log
                self.marks.append(Mark(at=at, kind="service", text=f"{name}: {message}"))
            case events.ServiceStopped(service=name, exit_status=exit_status):
                span = self._service(name, at=at)
                span.end, span.exit_status = at, exit_status
            case _:
                pass

    def _service(self, name: str, *, at: float) -> ServiceSpan:
        return self.services.setdefault(name, ServiceSpan(start=at))

    def _start_attempt(self, test: str, span: AttemptSpan) -> None:
        """Tests of a pack are all judged at its end; but a slot has one at a time, so the one before is through.

        One that begins again was of a pack that decided nothing about it: the attempt that counts is this.
        """
        before = self._in_slot.get(span.slot)
        if before and before.end is None:
            before.end = span.start
        self._in_slot[span.slot] = span
        others = [one for one in self.attempts.get(test, []) if one.number != span.number]
        self.attempts[test] = [*others, span]

    def _end_attempt(self, test: str, number: int, *, at: float) -> None:
        for span in self.attempts.get(test, []):
            if span.number == number and span.end is None:
                span.end = at

    def _mark_slow(self, test: str, *, elapsed: float, at: float) -> None:
        """Once for each test, however often it is said."""
        if not any(mark.kind == "slow" and mark.test == test for mark in self.marks):
            text = f"{test} takes longer than {elapsed:.0f} s"
            self.marks.append(Mark(at=at, kind="slow", text=text, test=test))

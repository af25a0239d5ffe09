"""The events of several shards as those of one run: one beginning, one end for each phase, one verdict.

Every event keeps its times. The clocks of all shards begin at zero, as if all had started together:
how long a job waited for its machine is no part of the run.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from e2e_orchestrator.engine.gates import evaluate
from e2e_orchestrator.engine.verdict import RunVerdict, counts, judge_phase, judge_run
from e2e_orchestrator.merging.evidence import Evidence
from e2e_orchestrator.merging.parts import Part
from e2e_orchestrator.model import events
from e2e_orchestrator.model.baseline import Baseline, BaselineChosen
from e2e_orchestrator.model.closing import OPEN, closed
from e2e_orchestrator.model.events import Envelope, Event
from e2e_orchestrator.model.storing import ArtifactsAwaited, ArtifactsStored
from e2e_orchestrator.model.summary import RunState

_UNFINISHED = 1
# Of the union there is one and it is judged anew, it is measured as a whole, and it waits for nobody.
_OF_ONE_RUN = (
    events.RunStarted,
    BaselineChosen,
    events.RunFinished,
    events.GateEvaluated,
    events.TestCarriedOver,
    events.StatusRequested,
    events.CoverageMeasured,
    ArtifactsAwaited,
)
# What an unfinished shard weighs more than: all is well, a gate did not hold, nothing ran.
_LIGHTER = frozenset({0, 3, 4})
# What may still come when a run's tests and services are over, and its gates have looked at the time.
_AFTERWARDS = (
    ArtifactsStored,
    ArtifactsAwaited,
    events.Warned,
    events.CancelRequested,
    events.StatusRequested,
    events.ReporterFailed,
    events.GateEvaluated,
    events.RunFinished,
)


@dataclass(slots=True)
class Union:
    """Iterate over it once; afterwards ``state`` is the fold of everything and ``verdict`` what it came to."""

    parts: Sequence[Part]
    evidence: Mapping[int, Evidence] = field(kw_only=True)
    started: events.RunStarted = field(kw_only=True)
    baseline: Baseline | None = field(kw_only=True)
    measure: Callable[[RunState], events.CoverageMeasured | None] = field(kw_only=True)
    state: RunState = field(default_factory=RunState, init=False)
    verdict: RunVerdict | None = field(default=None, init=False)
    _seq: int = field(default=0, init=False)
    _open: Counter[str] = field(default_factory=Counter, init=False)

    def __iter__(self) -> Iterator[Envelope]:
        self._open.update(phase.name for part in self.parts for phase in part.plan.phases)
        first = min(part.envelopes[0].at for part in self.parts)
        yield self._say(self.started, at=first, mono=0.0)
        for event in self._compared():
            yield self._say(event, at=first, mono=0.0)
        yield from self._carried_over()
        for part, envelope in self._in_order():
            for event in self._translated(part, envelope.event, mono=envelope.mono):
                yield self._say(event, at=envelope.at, mono=envelope.mono)
        last = max(part.envelopes[-1].at for part in self.parts)
        for event in self._ending():
            yield self._say(event, at=last, mono=self.state.mono)

    def _say(self, event: Event, *, at: str, mono: float) -> Envelope:
        self._seq += 1
        envelope = Envelope(seq=self._seq, at=at, mono=max(mono, self.state.mono), event=event)
        self.state.apply(envelope)
        return envelope

    def _in_order(self) -> Iterator[tuple[Part, Envelope]]:
        streams = ([(part, envelope) for envelope in _without_waiting(part)] for part in self.parts)
        return heapq.merge(*streams, key=lambda one: one[1].mono)

    def _compared(self) -> Iterator[Event]:
        """What was asked for, else what all shards were compared with; of several nothing would be right."""
        theirs = {one.run_id: one for part in self.parts if (one := part.state.baseline)}
        everywhere = len(theirs) == 1 and all(part.state.baseline for part in self.parts)
        if baseline := self.baseline or (next(iter(theirs.values())) if everywhere else None):
            yield BaselineChosen(baseline=baseline)
        elif theirs:
            said = "the shards were not all compared with one run: give the merge a --baseline"
            yield events.Warned(message=said)

    def _carried_over(self) -> Iterator[Envelope]:
        """First of all, as in a journal of a rerun."""
        for part in self.parts:
            for envelope in part.envelopes:
                if isinstance(event := envelope.event, events.TestCarriedOver):
                    evidence = self.evidence[part.shard.index]
                    attempts = tuple(evidence.attempt(attempt) for attempt in event.attempts)
                    yield self._say(replace(event, attempts=attempts), at=envelope.at, mono=0.0)

    def _translated(  # noqa: C901, PLR0912 - one arm for each event that differs.
        self, part: Part, event: Event, *, mono: float
    ) -> Iterator[Event]:
        evidence = self.evidence[part.shard.index]
        if isinstance(event, _OF_ONE_RUN):
            return
        match event:
            case events.PhaseStarted(phase=name):
                if self.state.phase(name).started is None:
                    yield event
            case events.PhaseFinished(phase=name):
                self._open[name] -= 1
                if not self._open[name]:
                    yield self._phase_finished(name, mono=mono)
            case events.AttemptStarted():
                slot, output = event.slot + evidence.slots, evidence.path(event.output)
                yield replace(event, slot=slot, output=output)
            case events.AttemptFinished():
                yield replace(event, attempt=evidence.attempt(event.attempt))
            case ArtifactsStored(stored=stored):
                moved = tuple(replace(one, path=evidence.path(one.path)) for one in stored)
                yield replace(event, stored=moved)
            case events.CaseFinished():
                yield replace(event, case=evidence.case(event.case))
            case events.ServiceStarted():
                yield replace(event, service=part.own(event.service), log=evidence.log(event.log))
            case events.ServiceFailed() | events.ServiceRestarting():
                log = evidence.log(event.log) if event.log else None
                yield replace(event, service=part.own(event.service), log=log)
            case events.ServiceReady() | events.ServiceStopped():
                yield replace(event, service=part.own(event.service))
            case events.LeaseAcquired() | events.LeaseReleased():
                yield replace(event, slot=event.slot + evidence.slots)
            case events.ReporterFailed():
                yield replace(event, reporter=part.own(event.reporter))
            case events.Warned(message=message):
                yield events.Warned(message=f"{part.name}: {message}")
            case _:
                yield event

    def _phase_finished(self, name: str, *, mono: float) -> events.PhaseFinished:
        phase = self.state.phase(name)
        status, reason = judge_phase(phase.tests)
        duration = 0.0 if phase.started is None else mono - phase.started
        return events.PhaseFinished(phase=name, status=status, reason=reason, duration=duration)

    def _ending(self) -> Iterator[Event]:
        """Whatever an unfinished shard left open, then the verdict on the whole."""
        unfinished = [part for part in self.parts if part.state.finished is None]
        for part in unfinished:
            yield events.Warned(message=f"{part.name} did not finish: run {part.state.run_id} was cut short")
        for phase in self.state.phases:
            for test in phase.tests:
                if test.verdict.status in OPEN:
                    verdict, attempts = closed(test), len(test.attempts)
                    took = 0.0 if test.started is None else max(self.state.mono - test.started, 0.0)
                    yield events.TestFinished(
                        test=test.test.id, verdict=verdict, duration=took, attempts=attempts
                    )
            if phase.status in OPEN:
                yield self._phase_finished(phase.name, mono=self.state.mono)
        for evidence in self.evidence.values():
            if evidence.missing:
                yield events.Warned(message=_say_missing(evidence))
        if coverage := self.measure(self.state):
            yield coverage
        yield from evaluate(self.state)
        self.verdict = self._judged(unfinished)
        yield events.RunFinished(
            exit_code=self.verdict.exit_code,
            success=self.verdict.success,
            duration=max(_duration(part) for part in self.parts),
            why=self.verdict.why,
            counts=counts(self.state),
        )

    def _judged(self, unfinished: Sequence[Part]) -> RunVerdict:
        """Never greener than any of the parts."""
        verdict = judge_run(self.state)
        if unfinished and verdict.exit_code in _LIGHTER:
            names = ", ".join(part.name for part in unfinished)
            return RunVerdict(exit_code=_UNFINISHED, why=f"{names} did not finish")
        if verdict.success:
            for part in self.parts:
                if (finished := part.state.finished) and not finished.success:
                    return RunVerdict(exit_code=finished.exit_code, why=f"{part.name}: {finished.why}")
        return verdict


def _without_waiting(part: Part) -> Iterator[Envelope]:
    """How long a shard waited for its uploads is no time that its tests took: no gate may count it."""
    over = max((one.mono for one in part.envelopes if not isinstance(one.event, _AFTERWARDS)), default=0.0)
    return (replace(one, mono=min(one.mono, over)) for one in part.envelopes)


def _duration(part: Part) -> float:
    return part.state.finished.duration if part.state.finished else part.state.mono


def _say_missing(evidence: Evidence) -> str:
    number = len(evidence.missing)
    files = "1 file" if number == 1 else f"{number} files"
    return f"{evidence.part.name}: {files} of its evidence cannot be found, such as {evidence.missing[0]}"

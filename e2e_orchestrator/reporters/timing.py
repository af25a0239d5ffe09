"""What became of the time: how long the tests took, how well the slots were used, and who was waited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.planning.ordering import expected_makespan, shortest_makespan
from e2e_orchestrator.reporters.unfinished import end_of_phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Seconds: ``busy`` of all slots together; ``lower_bound`` is what no order of the tests could beat.

    ``utilisation`` is the share of its slots' time that had an attempt in it, from 0 to 1.
    """

    makespan: float = 0.0
    lower_bound: float = 0.0
    busy: float = 0.0
    utilisation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The test that a phase waited for last, the last ``alone`` seconds for nothing else."""

    phase: str
    test: str
    duration: float
    alone: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """``expected`` is what was expected of the tests before, None if nothing was known."""

    total: Span
    slots: int
    expected: float | None
    critical_path: tuple[End, ...]
    phases: Mapping[str, Span]


def timing(run: RunState) -> Timing:
    """Of what this run itself ran; what an earlier run supplied took no time."""
    slots = run.plan.workers if run.plan else 1
    ran = {
        phase.name: [test for test in phase.tests if test.started is not None and test.carried_from is None]
        for phase in run.phases
    }
    spans = {phase.name: _span(phase, ran[phase.name], run=run, slots=slots) for phase in run.phases}
    ends = (_end(phase.name, ran[phase.name]) for phase in run.phases)
    return Timing(
        total=_total(run, list(spans.values()), slots=slots),
        slots=slots,
        expected=_expected(run),
        critical_path=tuple(end for end in ends if end),
        phases=spans,
    )


def _span(phase: PhaseState, ran: Sequence[TestState], *, run: RunState, slots: int) -> Span:
    took = [sum(attempt.duration for attempt in test.attempts) for test in ran]
    makespan = end_of_phase(phase, run=run).duration if phase.started is not None else 0.0
    bound = shortest_makespan(took, slots=slots if phase.phase.parallel else 1)
    span = Span(makespan=makespan, lower_bound=min(bound, makespan), busy=sum(took))
    return replace(span, utilisation=_share(span, slots=slots))


def _total(run: RunState, spans: Sequence[Span], *, slots: int) -> Span:
    """One phase after the other; but those of merged shards overlap, and their slots count together."""
    started = [
        (phase.started, phase.started + span.makespan)
        for phase, span in zip(run.phases, spans, strict=True)
        if phase.started is not None
    ]
    makespan = max(end for _, end in started) - min(start for start, _ in started) if started else 0.0
    busy, bounds = sum(span.busy for span in spans), [span.lower_bound for span in spans]
    bound = max([*bounds, busy / slots], default=0.0) if run.merged_from else sum(bounds)
    total = Span(makespan=makespan, lower_bound=min(bound, makespan), busy=busy)
    return replace(total, utilisation=_share(total, slots=slots))


def _share(span: Span, *, slots: int) -> float:
    return min(1.0, span.busy / (slots * span.makespan)) if span.makespan else 0.0


def _end(phase: str, ran: Sequence[TestState]) -> End | None:
    """Who ended last, and how long after everybody else."""
    ends = sorted(((test.started or 0.0) + test.duration, at) for at, test in enumerate(ran))
    if not ends:
        return None
    end, at = ends[-1]
    last = ran[at]
    began = last.started or 0.0
    before = max(ends[-2][0], began) if len(ends) > 1 else began
    return End(phase=phase, test=last.test.id, duration=last.duration, alone=end - before)


def _expected(run: RunState) -> float | None:
    """Of a plan whose every test ran here, on slots that it knew of."""
    if run.plan is None or run.carried_over or run.merged_from:
        return None
    makespan = expected_makespan(run.plan)
    return makespan.expected if makespan else None

"""What became of the time: how long the tests took, how well the slots were used, and who was waited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.planning.makespan import expected_makespan, shortest_makespan
from e2e_orchestrator.planning.needs import before_each, chains_after
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
    """The test that a phase waited for last; in the last ``alone`` seconds of it nothing else ran."""

    phase: str
    test: str
    duration: float
    alone: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """``critical_path`` goes back from the phase that ended last, each time to the one it waited for last.

    ``expected`` is what was expected of the tests before, None if nothing was known.
    """

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
    everything = [test for tests in ran.values() for test in tests]
    ends = (_end(name, ran[name], everything) for name in _critical_path(run, ran))
    return Timing(
        total=_total(run, list(spans.values()), slots=slots),
        slots=slots,
        expected=_expected(run),
        critical_path=tuple(ends),
        phases=spans,
    )


def _span(phase: PhaseState, ran: Sequence[TestState], *, run: RunState, slots: int) -> Span:
    took = [sum(attempt.duration for attempt in test.attempts) for test in ran]
    makespan = end_of_phase(phase, run=run).duration if phase.started is not None else 0.0
    bound = shortest_makespan(took, slots=slots if phase.phase.parallel else 1)
    span = Span(makespan=makespan, lower_bound=min(bound, makespan), busy=sum(took))
    return replace(span, utilisation=_share(span, slots=slots))


def _total(run: RunState, spans: Sequence[Span], *, slots: int) -> Span:
    """Phases wait for each other; but those of merged shards overlap, and their slots count together."""
    started = [
        (phase.started, phase.started + span.makespan)
        for phase, span in zip(run.phases, spans, strict=True)
        if phase.started is not None
    ]
    makespan = max(end for _, end in started) - min(start for start, _ in started) if started else 0.0
    busy = sum(span.busy for span in spans)
    least = {phase.name: span.lower_bound for phase, span in zip(run.phases, spans, strict=True)}
    after = chains_after({} if run.merged_from else _before(run), least)
    longest_chain = max((seconds + after.get(name, 0.0) for name, seconds in least.items()), default=0.0)
    bound = max(longest_chain, busy / slots)
    total = Span(makespan=makespan, lower_bound=min(bound, makespan), busy=busy)
    return replace(total, utilisation=_share(total, slots=slots))


def _before(run: RunState) -> dict[str, tuple[str, ...]]:
    return before_each(tuple(phase.phase for phase in run.phases))


def _critical_path(run: RunState, ran: Mapping[str, Sequence[TestState]]) -> list[str]:
    """The names of its phases, in the order in which they ran; of merged shards all, since none waits for another."""
    ends = {name: max(map(_end_of, tests)) for name, tests in ran.items() if tests}
    if run.merged_from or not ends:
        return list(ends)
    before = _before(run)
    path, candidates = [], list(ends)
    while candidates:
        path.append(max(candidates, key=lambda name: ends[name]))
        candidates = [name for name in before[path[-1]] if name in ends]
    return path[::-1]


def _share(span: Span, *, slots: int) -> float:
    return min(1.0, span.busy / (slots * span.makespan)) if span.makespan else 0.0


def _end(phase: str, ran: Sequence[TestState], everything: Sequence[TestState]) -> End:
    """Who ended last, and how long after everybody else."""
    last = max(ran, key=_end_of)
    began, end = last.started or 0.0, _end_of(last)
    others = [_end_of(one) for one in everything if one is not last and (one.started or 0.0) < end]
    before = min(max([began, *others]), end)
    return End(phase=phase, test=last.test.id, duration=last.duration, alone=end - before)


def _end_of(test: TestState) -> float:
    return (test.started or 0.0) + test.duration


def _expected(run: RunState) -> float | None:
    """Of a plan whose every test ran here, on slots that it knew of."""
    if run.plan is None or run.carried_over or run.merged_from:
        return None
    makespan = expected_makespan(run.plan)
    return makespan.expected if makespan else None

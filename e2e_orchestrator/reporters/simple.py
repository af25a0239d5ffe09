"""The easy way to write a reporter: three hooks instead of a stream of events.

class Shout(SimpleReporter):
    def on_phase_complete(self, result):
        print(result.name.upper(), result.status)
"""

import inspect
from collections.abc import Awaitable
from dataclasses import dataclass

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.outcomes import Attempt, Case, Reason, Status
from e2e_orchestrator.model.plan import PlannedPhase
from e2e_orchestrator.model.summary import PhaseState, RunState, TestState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test

Hook = Awaitable[None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """How one test ended; ``duration`` in seconds, ``error`` the message to show first, if any.

    ``carried_over_from`` is the run that a rerun took the result from instead of running the test.
    """

    __test__ = False

    id: str
    name: str
    phase: str
    status: Status
    reason: Reason | None
    duration: float
    error: str | None
    target: str
    tags: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    cases: tuple[Case, ...]
    carried_over_from: str | None = None

    @property
    def flaky(self) -> bool:
        return self.reason is Reason.FLAKY


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseResult:
    """How one phase ended, with its tests in the plan's order; ``duration`` in seconds."""

    name: str
    status: Status
    reason: Reason | None
    required: bool
    duration: float
    tests: tuple[TestResult, ...]


class SimpleReporter:
    """Override the hooks you need; each may be a plain or an async function.

    ``run`` is everything known so far, for a hook that wants more than its arguments.
    """

    def __init__(self, context: ReporterContext) -> None:
        self.context = context
        self.run = RunState()
        self._complete = False

    def on_start(self, phases: tuple[PlannedPhase, ...]) -> Hook:
        """Called once, before the first test; never if the run got nowhere."""

    def on_phase_complete(self, result: PhaseResult) -> Hook:
        """Called when a phase has ended."""

    def on_complete(self, results: tuple[PhaseResult, ...], total_duration: float) -> Hook:
        """Called exactly once, at the end, however the run ended; every planned phase is in ``results``."""

    async def handle(self, envelope: Envelope) -> None:
        self.run.apply(envelope)
        match envelope.event:
            case events.RunStarted(plan=plan):
                await _finish(self.on_start(plan.phases))
            case events.PhaseFinished(phase=name):
                await _finish(self.on_phase_complete(phase_result(self.run.phase(name), run=self.run)))
            case _:
                pass

    async def close(self) -> None:
        if self._complete:
            return
        self._complete = True
        results = tuple(phase_result(phase, run=self.run) for phase in self.run.phases)
        finished = self.run.finished
        await _finish(self.on_complete(results, finished.duration if finished else self.run.mono))


def phase_result(phase: PhaseState, *, run: RunState) -> PhaseResult:
    """The frozen view of a phase; what is still open is shown as cut short."""
    ending = end_of_phase(phase, run=run)
    return PhaseResult(
        name=phase.name,
        status=ending.status,
        reason=ending.reason,
        required=phase.required,
        duration=ending.duration,
        tests=tuple(_test_result(test, run=run) for test in phase.tests),
    )


def _test_result(state: TestState, *, run: RunState) -> TestResult:
    ending = end_of_test(state, run=run)
    return TestResult(
        id=state.test.id,
        name=state.test.name,
        phase=state.test.phase,
        status=ending.status,
        reason=ending.reason,
        duration=ending.duration,
        error=state.error or ending.message,
        target=state.test.target,
        tags=state.test.tags,
        attempts=tuple(state.attempts),
        cases=state.cases,
        carried_over_from=state.carried_from,
    )


async def _finish(hook: Hook) -> None:
    if inspect.isawaitable(hook):
        await hook

"""The fold: what is known of a run after the events seen so far. Every report reads this."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.merge import merge_cases
from e2e_orchestrator.model.outcomes import Attempt, Case, CaseStatus, Reason, Status, Verdict
from e2e_orchestrator.model.plan import Plan, PlannedPhase, Shard, Test


@dataclass(slots=True, kw_only=True)
class TestState:
    """A test so far: ``verdict`` is pending until it started, running until it finished."""

    __test__ = False

    test: Test
    verdict: Verdict = field(default_factory=lambda: Verdict(status=Status.PENDING))
    duration: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)
    slot: int | None = None
    started: float | None = None
    number: int = 0
    max_attempts: int = 1
    case: str | None = None
    live: Counter[CaseStatus] = field(default_factory=Counter)
    carried_from: str | None = None

    @property
    def cases(self) -> tuple[Case, ...]:
        return merge_cases(self.attempts)

    @property
    def counts(self) -> Mapping[CaseStatus, int]:
        """Cases by status; live figures while the first attempt runs."""
        return Counter(case.status for case in self.cases) if self.attempts else self.live

    @property
    def error(self) -> str | None:
        """The message to show first: the verdict's own, else the first bad case's; also of a flaky test."""
        if self.verdict.message:
            return self.verdict.message
        if self.verdict.failed:
            return next((case.message for case in self.cases if case.bad and case.message), None)
        return None

    @property
    def first_error(self) -> str | None:
        """What went wrong first, whatever a later attempt made of it."""
        for attempt in self.attempts:
            for case in attempt.cases:
                if case.bad and case.message:
                    return case.message
            if attempt.verdict.failed and attempt.verdict.message:
                return attempt.verdict.message
        return self.error


@dataclass(slots=True, kw_only=True)
class PhaseState:
    phase: PlannedPhase
    tests: list[TestState]
    status: Status = Status.PENDING
    reason: Reason | None = None
    duration: float = 0.0
    started: float | None = None

    @property
    def name(self) -> str:
        return self.phase.name

    @property
    def required(self) -> bool:
        return self.phase.required


@dataclass(slots=True, kw_only=True)
class ServiceState:
    name: str
    status: str = "starting"
    log: str | None = None
    ready_after: float | None = None
    message: str | None = None
    restarts: int = 0


@dataclass(slots=True)
class RunState:
    """Feed it every envelope in order with :meth:`apply`; read it at any time."""

    run_id: str = ""
    started_at: str = ""
    version: str = ""
    plan: Plan | None = None
    rerun_of: str | None = None
    shard: Shard | None = None
    merged_from: tuple[str, ...] = ()
    phases: list[PhaseState] = field(default_factory=list)
    services: dict[str, ServiceState] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    gates: list[events.GateEvaluated] = field(default_factory=list)
    coverage: events.CoverageMeasured | None = None
    broken_reporters: dict[str, str] = field(default_factory=dict)
    cancelled: str | None = None
    mono: float = 0.0
    finished: events.RunFinished | None = None
    _tests: dict[str, TestState] = field(default_factory=dict)

    @property
    def tests(self) -> Iterable[TestState]:
        return self._tests.values()

    def test(self, test_id: str) -> TestState:
        return self._tests[test_id]

    def phase(self, name: str) -> PhaseState:
        return next(phase for phase in self.phases if phase.name == name)

    @property
    def running(self) -> list[TestState]:
        return [test for test in self.tests if test.verdict.status is Status.RUNNING]

    @property
    def done(self) -> int:
        return sum(test.verdict.status not in (Status.PENDING, Status.RUNNING) for test in self.tests)

    @property
    def flaky(self) -> list[TestState]:
        return [test for test in self.tests if test.verdict.flaky]

    @property
    def failed(self) -> list[TestState]:
        return [test for test in self.tests if test.verdict.failed]

    @property
    def carried_over(self) -> list[TestState]:
        """The tests of a rerun that it did not run: an earlier run's end stands."""
        return [test for test in self.tests if test.carried_from]

    def slowest(self, count: int) -> list[TestState]:
        return sorted((test for test in self.tests if test.attempts), key=lambda test: -test.duration)[:count]

    def apply(self, envelope: Envelope) -> None:  # noqa: C901, PLR0912, PLR0915 - one arm for each event.
        self.mono = envelope.mono
        match envelope.event:
            case events.RunStarted() as event:
                self._start(event)
            case events.TestCarriedOver() as event:
                self._carry_over(event)
            case events.ServiceStarted(service=name, log=log):
                self.services[name] = ServiceState(name=name, log=log)
            case events.ServiceReady(service=name, duration=duration):
                service = self.services.setdefault(name, ServiceState(name=name))
                service.status, service.ready_after = "ready", duration
            case events.ServiceFailed(service=name, message=message):
                service = self.services.setdefault(name, ServiceState(name=name))
                service.status, service.message = "failed", message
            case events.ServiceRestarting(service=name, message=message):
                service = self.services.setdefault(name, ServiceState(name=name))
                service.status, service.message = "starting", message
                service.restarts += 1
            case events.ServiceStopped(service=name):
                service = self.services.setdefault(name, ServiceState(name=name))
                service.status = "failed" if service.status == "failed" else "stopped"
            case events.PhaseStarted(phase=name):
                phase = self.phase(name)
                phase.status, phase.started = Status.RUNNING, envelope.mono
            case events.AttemptStarted() as event:
                self._start_attempt(event)
            case events.CaseStarted(test=test_id, case=case_id):
                self.test(test_id).case = case_id
            case events.CaseFinished(test=test_id, case=case):
                state = self.test(test_id)
                state.case = None
                state.live[case.status] += 1
            case events.AttemptFinished(test=test_id, attempt=attempt):
                state = self.test(test_id)
                state.attempts.append(attempt)
                state.case = None
            case events.TestFinished(test=test_id, verdict=verdict, duration=duration):
                state = self.test(test_id)
                state.verdict, state.duration, state.slot = verdict, duration, None
            case events.PhaseFinished(phase=name, status=status, reason=reason, duration=duration):
                phase = self.phase(name)
                phase.status, phase.reason, phase.duration = status, reason, duration
            case events.CancelRequested(why=why):
                self.cancelled = self.cancelled or why
            case events.ReporterFailed(reporter=reporter, message=message):
                self.broken_reporters[reporter] = message
            case events.Warned(message=message):
                self.warnings.append(message)
            case events.RunFinished() as event:
                self.finished = event
            case events.GateEvaluated() as event:
                self.gates.append(event)
            case events.CoverageMeasured() as event:
                self.coverage = event
            case (
                events.RetryScheduled() | events.TestSlow() | events.StatusRequested() | events.StartChosen()
            ):
                pass
            case events.LeaseAcquired() | events.LeaseReleased():
                pass
            case unknown:
                assert_never(unknown)

    def _start(self, event: events.RunStarted) -> None:
        self.run_id, self.started_at, self.version = event.run_id, event.started_at, event.version
        self.plan, self.rerun_of = event.plan, event.rerun_of
        self.shard, self.merged_from = event.shard, event.merged_from
        for phase in event.plan.phases:
            tests = [TestState(test=test) for test in phase.tests]
            self._tests.update((state.test.id, state) for state in tests)
            self.phases.append(PhaseState(phase=phase, tests=tests))

    def _carry_over(self, event: events.TestCarriedOver) -> None:
        state = self.test(event.test)
        state.verdict, state.duration, state.carried_from = event.verdict, event.duration, event.from_run
        state.attempts = list(event.attempts)

    def _start_attempt(self, event: events.AttemptStarted) -> None:
        state = self.test(event.test)
        if state.started is None:
            state.started = self.mono
        state.verdict = Verdict(status=Status.RUNNING)
        state.slot, state.number, state.max_attempts = event.slot, event.number, event.max_attempts
        state.live.clear()


def fold(envelopes: Iterable[Envelope]) -> RunState:
    """The state after all of these envelopes."""
    state = RunState()
    for envelope in envelopes:
        state.apply(envelope)
    return state

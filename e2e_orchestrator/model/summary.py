"""The fold: what is known of a run after the events seen so far. Every report reads this."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from e2e_orchestrator.model import events
from e2e_orchestrator.model.baseline import Baseline, BaselineChosen
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.merge import merge_cases
from e2e_orchestrator.model.outcomes import Attempt, Case, CaseStatus, Reason, Status, Verdict
from e2e_orchestrator.model.pictures import without_pictures
from e2e_orchestrator.model.plan import Plan, PlannedPhase, Screenshots, Shard, Test
from e2e_orchestrator.model.storing import ArtifactsAwaited, ArtifactsStored, with_urls

# The most frequent first: each of a union is a look at the type.
TestEvent = (
    events.CaseStarted
    | events.CaseFinished
    | events.AttemptStarted
    | events.AttemptFinished
    | events.TestFinished
    | events.TestCarriedOver
    | ArtifactsStored
)
PhaseEvent = events.PhaseStarted | events.PhaseFinished
ServiceEvent = events.ServiceReady | events.ServiceFailed | events.ServiceRestarting | events.ServiceStopped


@dataclass(slots=True, kw_only=True)
class TestState:
    """A test so far: ``verdict`` is pending until it started, running until it finished.

    Without ``pictures`` no report gets to know of any: ``attempts`` are what may be shown.
    """

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
    urls: dict[str, str] = field(default_factory=dict)
    pictures: bool = True

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

    def apply(self, event: TestEvent, *, mono: float) -> None:
        match event:
            case events.CaseStarted(case=case_id):
                self.case = case_id
            case events.CaseFinished(case=case):
                self.case = None
                self.live[case.status] += 1
            case events.AttemptStarted():
                self._start_attempt(event, mono=mono)
            case events.AttemptFinished(attempt=attempt):
                self.case = None
                self.attempts.append(with_urls(self._shown(attempt), self.urls))
            case ArtifactsStored():
                self._store(event)
            case events.TestFinished(verdict=verdict, duration=duration):
                self.verdict, self.duration, self.slot = verdict, duration, None
            case events.TestCarriedOver():
                self.verdict, self.duration = event.verdict, event.duration
                self.attempts, self.carried_from = list(map(self._shown, event.attempts)), event.from_run
            case unknown:
                assert_never(unknown)

    def _shown(self, attempt: Attempt) -> Attempt:
        return attempt if self.pictures else without_pictures(attempt)

    def _store(self, event: ArtifactsStored) -> None:
        self.urls.update((one.path, one.url) for one in event.stored)
        self.attempts = [
            with_urls(one, self.urls) if one.number == event.attempt else one for one in self.attempts
        ]

    def _start_attempt(self, event: events.AttemptStarted, *, mono: float) -> None:
        if self.started is None:
            self.started = mono
        self.verdict = Verdict(status=Status.RUNNING)
        self.slot, self.number, self.max_attempts = event.slot, event.number, event.max_attempts
        self.live.clear()


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

    def apply(self, event: PhaseEvent, *, mono: float) -> None:
        match event:
            case events.PhaseStarted():
                self.status, self.started = Status.RUNNING, mono
            case events.PhaseFinished(status=status, reason=reason, duration=duration):
                self.status, self.reason, self.duration = status, reason, duration
            case unknown:
                assert_never(unknown)


@dataclass(slots=True, kw_only=True)
class ServiceState:
    name: str
    status: str = "starting"
    log: str | None = None
    ready_after: float | None = None
    message: str | None = None
    restarts: int = 0

    def apply(self, event: ServiceEvent) -> None:
        match event:
            case events.ServiceReady(duration=duration):
                self.status, self.ready_after = "ready", duration
            case events.ServiceFailed(message=message):
                self.status, self.message = "failed", message
            case events.ServiceRestarting(message=message):
                self.status, self.message = "starting", message
                self.restarts += 1
            case events.ServiceStopped():
                self.status = "failed" if self.status == "failed" else "stopped"
            case unknown:
                assert_never(unknown)


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
    baseline: Baseline | None = None
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

    def apply(self, envelope: Envelope) -> None:  # noqa: C901, PLR0912 - one arm for each event.
        event, self.mono = envelope.event, envelope.mono
        if isinstance(event, TestEvent):
            self.test(event.test).apply(event, mono=self.mono)
            return
        if isinstance(event, PhaseEvent):
            self.phase(event.phase).apply(event, mono=self.mono)
            return
        if isinstance(event, ServiceEvent):
            self.services.setdefault(event.service, ServiceState(name=event.service)).apply(event)
            return
        match event:
            case events.RunStarted():
                self._start(event)
            case BaselineChosen(baseline=baseline):
                self.baseline = baseline
            case events.ServiceStarted(service=name, log=log):
                self.services[name] = ServiceState(name=name, log=log)
            case events.CancelRequested(why=why):
                self.cancelled = self.cancelled or why
            case events.ReporterFailed(reporter=reporter, message=message):
                self.broken_reporters[reporter] = message
            case events.Warned(message=message):
                self.warnings.append(message)
            case events.RunFinished():
                self.finished = event
            case events.GateEvaluated():
                self.gates.append(event)
            case events.CoverageMeasured():
                self.coverage = event
            case (
                events.RetryScheduled() | events.TestSlow() | events.StatusRequested() | events.StartChosen()
            ):
                pass
            case events.LeaseAcquired() | events.LeaseReleased() | ArtifactsAwaited():
                pass
            case unknown:
                assert_never(unknown)

    def _start(self, event: events.RunStarted) -> None:
        self.run_id, self.started_at, self.version = event.run_id, event.started_at, event.version
        self.plan, self.rerun_of = event.plan, event.rerun_of
        self.shard, self.merged_from = event.shard, event.merged_from
        pictures = event.plan.artifacts.screenshots is Screenshots.ALWAYS
        for phase in event.plan.phases:
            tests = [TestState(test=test, pictures=pictures) for test in phase.tests]
            self._tests.update((state.test.id, state) for state in tests)
            self.phases.append(PhaseState(phase=phase, tests=tests))


def fold(envelopes: Iterable[Envelope]) -> RunState:
    """The state after all of these envelopes."""
    state = RunState()
    for envelope in envelopes:
        state.apply(envelope)
    return state

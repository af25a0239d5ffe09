"""Everything a run says while it goes on: the only way out of the engine.

Each event is frozen data with a ``type`` of its own. In an :class:`Envelope` it has a number (from 1,
without holes), the wall time and the monotonic time of the run. The journal holds one envelope a line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic_core import from_json, to_json

from e2e_orchestrator.model.baseline import BaselineChosen
from e2e_orchestrator.model.earlier import with_services_of_today
from e2e_orchestrator.model.outcomes import Attachment, Attempt, Case, Reason, Status, Verdict
from e2e_orchestrator.model.plan import Plan, Shard
from e2e_orchestrator.model.storing import ArtifactsAwaited, ArtifactsStored

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """Announces every planned test, so that a journal proves its own completeness.

    ``merged_from`` are the runs of the shards that this one puts together.
    """

    run_id: str
    started_at: str
    version: str
    plan: Plan
    rerun_of: str | None = None
    shard: Shard | None = None
    merged_from: tuple[str, ...] = ()
    type: Literal["run_started"] = "run_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCarriedOver:
    """A test that a rerun does not run: its end in ``from_run``, the run that last ran it, stands.

    Follows RunStarted, so that the journal of a rerun holds the whole of what it judges.
    """

    __test__ = False

    test: str
    verdict: Verdict
    duration: float
    attempts: tuple[Attempt, ...]
    from_run: str
    type: Literal["test_carried_over"] = "test_carried_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStarted:
    service: str
    log: str
    type: Literal["service_started"] = "service_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReady:
    service: str
    duration: float
    type: Literal["service_ready"] = "service_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFailed:
    service: str
    message: str
    tail: str = ""
    log: str | None = None
    type: Literal["service_failed"] = "service_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRestarting:
    """It ended by itself, and is started again for the time ``number`` of at most ``limit``."""

    service: str
    message: str
    number: int
    limit: int
    tail: str = ""
    log: str | None = None
    type: Literal["service_restarting"] = "service_restarting"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStopped:
    service: str
    exit_status: int | None
    type: Literal["service_stopped"] = "service_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseAcquired:
    """A slot has its own ``resource`` (a variable, or ports and directory) now, called ``name``.

    ``reset`` is true if it had it before, and got it anew; ``duration`` in seconds.
    """

    slot: int
    resource: str
    name: str
    duration: float
    reset: bool = False
    type: Literal["lease_acquired"] = "lease_acquired"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseReleased:
    """It is gone; ``message`` says why it is not, if that failed."""

    slot: int
    resource: str
    name: str
    duration: float
    message: str | None = None
    type: Literal["lease_released"] = "lease_released"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted:
    phase: str
    type: Literal["phase_started"] = "phase_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChosen:
    """How attempts of a runner start from now on: ``way`` is ``warm`` or ``cold``; said when it changes."""

    runner: str
    way: Literal["warm", "cold"]
    why: str
    type: Literal["start_chosen"] = "start_chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted:
    test: str
    number: int
    max_attempts: int
    slot: int
    output: str
    type: Literal["attempt_started"] = "attempt_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStarted:
    """Live and provisional, as :class:`CaseFinished`: the attempt's own list of cases is the record."""

    test: str
    attempt: int
    case: str
    type: Literal["case_started"] = "case_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished:
    test: str
    attempt: int
    case: Case
    type: Literal["case_finished"] = "case_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSlow:
    """Said again and again while an attempt takes longer than its ``slow_after``; ``elapsed`` in seconds."""

    __test__ = False

    test: str
    attempt: int
    elapsed: float
    type: Literal["test_slow"] = "test_slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFinished:
    test: str
    attempt: Attempt
    type: Literal["attempt_finished"] = "attempt_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled:
    """Attempt ``number`` comes after ``delay`` seconds; ``only`` names its cases if it is not about all."""

    test: str
    number: int
    delay: float
    why: str
    only: tuple[str, ...] = ()
    type: Literal["retry_scheduled"] = "retry_scheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFinished:
    """The end of a planned test, whether it ran or not; ``duration`` covers its attempts and pauses."""

    __test__ = False

    test: str
    verdict: Verdict
    duration: float
    attempts: int
    type: Literal["test_finished"] = "test_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFinished:
    phase: str
    status: Status
    reason: Reason | None
    duration: float
    type: Literal["phase_finished"] = "phase_finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    why: str
    kill: bool = False
    type: Literal["cancel_requested"] = "cancel_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterFailed:
    reporter: str
    message: str
    type: Literal["reporter_failed"] = "reporter_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEvaluated:
    """A rule over the finished run; one that does not hold turns a good run into exit code 3.

    ``phase`` is the phase that it is about, None for the whole run; ``found`` and ``wanted`` are the figures
    in ``message``, None where there are none.
    """

    gate: str
    holds: bool
    message: str
    phase: str | None = None
    found: float | None = None
    wanted: float | None = None
    type: Literal["gate_evaluated"] = "gate_evaluated"

    @property
    def name(self) -> str:
        return f"{self.gate} of phase {self.phase}" if self.phase else self.gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many of something there are, and how many of them were reached."""

    total: int
    covered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageMeasured:
    """What all attempts together reached; ``files`` are the reports about it, ``problem`` what went wrong."""

    lines: Counted
    branches: Counted
    files: tuple[Attachment, ...] = ()
    problem: str | None = None
    type: Literal["coverage_measured"] = "coverage_measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequested:
    """Somebody wants to know what is running."""

    type: Literal["status_requested"] = "status_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something the user should know that changes no verdict."""

    message: str
    type: Literal["warned"] = "warned"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """``counts`` holds the tests by their end, for whoever reads no more than this line."""

    exit_code: int
    success: bool
    duration: float
    why: str
    counts: Mapping[str, int] = field(default_factory=dict)
    type: Literal["run_finished"] = "run_finished"


Event = (
    RunStarted
    | BaselineChosen
    | TestCarriedOver
    | ServiceStarted
    | ServiceReady
    | ServiceFailed
    | ServiceRestarting
    | ServiceStopped
    | LeaseAcquired
    | LeaseReleased
    | PhaseStarted
    | StartChosen
    | AttemptStarted
    | CaseStarted
    | CaseFinished
    | TestSlow
    | AttemptFinished
    | ArtifactsStored
    | RetryScheduled
    | TestFinished
    | PhaseFinished
    | CancelRequested
    | ReporterFailed
    | GateEvaluated
    | CoverageMeasured
    | ArtifactsAwaited
    | StatusRequested
    | Warned
    | RunFinished
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """``at`` is UTC in ISO 8601, ``mono`` seconds since the run's first event."""

    seq: int
    at: str
    mono: float
    event: Annotated[Event, Field(discriminator="type")]
    schema: int = SCHEMA


@cache
def _adapter() -> TypeAdapter[Envelope]:
    """Made when somebody reads a journal, or writes what is not UTF-8: it takes 60 ms."""
    return TypeAdapter(Envelope)


def encode(envelope: Envelope) -> bytes:
    """One line of JSON without its newline; lone surrogates become question marks.

    Infinity and NaN, which JSON does not have, become the strings that :func:`decode` takes for them.
    """
    try:
        return to_json(envelope, inf_nan_mode="strings")
    except ValueError:  # A lone surrogate in a name that a child made up: not UTF-8, so not JSON.
        return to_json(_printable(_adapter().dump_python(envelope)), inf_nan_mode="strings")


def decode(line: bytes | str) -> Envelope:
    """Raises ValueError (pydantic's) for a line that is no envelope of this schema."""
    try:
        return _adapter().validate_json(line)
    except ValueError:
        earlier = from_json(line)
        if not with_services_of_today(earlier):
            raise
        return _adapter().validate_python(earlier)


def _printable(value: Any) -> Any:
    """The same tree with every string made valid UTF-8."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            return {_printable(key): _printable(one) for key, one in value.items()}
        case list() | tuple():
            return [_printable(one) for one in value]
        case _:
            return value

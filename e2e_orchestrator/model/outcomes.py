"""What can happen to a case, an attempt, a test, a phase and a run."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why a test has its status; the table in docs/reference/verdicts.md explains each."""

    FLAKY = "flaky"
    TEST_FAILURES = "test_failures"
    COLLECTION_ERROR = "collection_error"
    NO_TESTS = "no_tests"
    TIMEOUT = "timeout"
    USAGE_ERROR = "usage_error"
    CRASH = "crash"
    EVIDENCE_MISSING = "evidence_missing"
    INFRASTRUCTURE = "infrastructure"
    INTERRUPTED = "interrupted"
    ALL_SKIPPED = "all_skipped"
    BLOCKED = "blocked"
    CANCELLED = "cancelled"
    CONDITION = "condition"


STATUS_OF: dict[Reason, Status] = {
    Reason.FLAKY: Status.PASSED,
    Reason.TEST_FAILURES: Status.FAILED,
    Reason.COLLECTION_ERROR: Status.FAILED,
    Reason.NO_TESTS: Status.FAILED,
    Reason.TIMEOUT: Status.FAILED,
    Reason.USAGE_ERROR: Status.FAILED,
    Reason.CRASH: Status.FAILED,
    Reason.EVIDENCE_MISSING: Status.FAILED,
    Reason.INFRASTRUCTURE: Status.FAILED,
    Reason.INTERRUPTED: Status.FAILED,
    Reason.ALL_SKIPPED: Status.SKIPPED,
    Reason.BLOCKED: Status.SKIPPED,
    Reason.CANCELLED: Status.SKIPPED,
    Reason.CONDITION: Status.SKIPPED,
}


class CaseStatus(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"
    FLAKY = "flaky"
    NOT_RUN = "not_run"


BAD_CASES = frozenset({CaseStatus.FAILED, CaseStatus.ERROR, CaseStatus.TIMEOUT})
CUT_SHORT = "was running when its process ended"  # The message of a case that nothing better is known of.


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A status with its reason, and one readable message where something has to be said.

    Build it with :func:`passed` or :func:`because`: a reason has exactly one status.
    """

    status: Status
    reason: Reason | None = None
    message: str | None = None

    @property
    def failed(self) -> bool:
        return self.status is Status.FAILED

    @property
    def flaky(self) -> bool:
        return self.reason is Reason.FLAKY


def passed() -> Verdict:
    return Verdict(status=Status.PASSED)


def because(reason: Reason, message: str | None = None) -> Verdict:
    """The verdict that belongs to a reason."""
    return Verdict(status=STATUS_OF[reason], reason=reason, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that an attempt left behind; ``path`` is relative to the output folder.

    ``url`` is the address of its copy in a bucket, if there is one.
    """

    name: str
    path: str
    content_type: str = "application/octet-stream"
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test function inside a test; ``id`` is unique within its attempt, ``duration`` in seconds.

    ``shared_failure``: what failed, or some of it, is or may be of something that it shares with other cases,
    such as a fixture of its module. The tool blames this case because it has nobody else to blame.
    """

    id: str
    status: CaseStatus
    duration: float = 0.0
    message: str | None = None
    file: str | None = None
    line: int | None = None
    project: str | None = None
    attachments: tuple[Attachment, ...] = ()
    shared_failure: bool = False

    @property
    def bad(self) -> bool:
        return self.status in BAD_CASES


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A process that outlived its attempt and had to be ended."""

    pid: int
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a child printed: the whole of it in ``path`` (relative to the output folder), its ends here."""

    path: str
    size: int = 0
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLog:
    """What a service printed while an attempt ran: the bytes from ``begin`` to ``end`` of ``log``.

    ``log`` is relative to the output folder; ``tail`` has the last lines, of attempts that failed.
    """

    service: str
    log: str
    begin: int
    end: int
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One execution of a test. ``exit_status`` is negative for a signal, None if nothing was started.

    ``renewed`` says that a service ended under it and was started again: another attempt may end otherwise.
    """

    number: int
    started_at: str
    duration: float
    verdict: Verdict
    slot: int
    exit_status: int | None = None
    output: Output | None = None
    cases: tuple[Case, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    leaked: tuple[Leak, ...] = ()
    services: tuple[ServiceLog, ...] = ()
    renewed: bool = False

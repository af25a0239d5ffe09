"""The plan: everything that is decided before anything starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from e2e_orchestrator.model.gates import Gates, LastGreen
from e2e_orchestrator.model.isolation import Isolation, PlannedDatabase
from e2e_orchestrator.model.safeguards import Checked, Safeguards
from e2e_orchestrator.model.service import PlannedService


class RetryStrategy(StrEnum):
    """When a retry takes its turn; in a sequential phase always at once, in place."""

    IMMEDIATE = "immediate"
    END_OF_PHASE = "end_of_phase"
    ISOLATED = "isolated"


class FlakyPolicy(StrEnum):
    """What a flaky test means for the run: it is always shown; ``warn`` says so aloud, ``fail`` gates."""

    ALLOW = "allow"
    WARN = "warn"
    FAIL = "fail"


class LeakPolicy(StrEnum):
    """What it means that a test left processes behind, which are ended and named in any case."""

    WARN = "warn"
    FAIL = "fail"


class Order(StrEnum):
    """In which order the tests of a parallel phase start; a sequential one always keeps the file's."""

    LONGEST = "longest"
    FILE = "file"


class Packing(StrEnum):
    """Whether tests that share their configuration may share one process of their tool, where that is sound."""

    AUTO = "auto"
    OFF = "off"


class Screenshots(StrEnum):
    """Whether reports may show pictures: text is masked, a picture of a secret cannot be."""

    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """What becomes of the files that tests leave behind; ``store`` is the ``s3://…`` that copies go to."""

    screenshots: Screenshots = Screenshots.ALWAYS
    store: str | None = None


class Warm(StrEnum):
    """Whether attempts are forked from a server that has imported what they need.

    ``auto``: where it pays and nothing speaks against it; ``on``: wherever it is possible.
    """

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Split(StrEnum):
    """What the tests of a Django project are made of when nobody lists them."""

    APP = "app"
    MODULE = "module"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a failed test is tried again, after how many seconds, and after which failures.

    Retry *n* waits ``min(delay * factor ** (n - 1), max_delay)`` seconds, minus a random share of up
    to ``jitter`` (0..1) of it. ``only_on`` and ``never_on`` hold names of reasons and regular expressions
    that are searched in the messages of the failure; an empty ``only_on`` allows everything.
    """

    max: int = 2
    delay: float = 5.0
    factor: float = 1.0
    max_delay: float = 60.0
    jitter: float = 0.0
    strategy: RetryStrategy = RetryStrategy.IMMEDIATE
    only_on: tuple[str, ...] = ()
    never_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLimits:
    """For the whole run: at most ``budget`` retries; none any more once ``breaker`` tests have failed."""

    budget: int | None = None
    breaker: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxFailures:
    """Nothing more starts once so many tests have failed; ``immediate`` also ends those that run."""

    count: int
    immediate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Seconds of patience with a running test; None means that nobody watches.

    ``slow_after`` says so, again and again; ``stall_after`` ends a test that prints and reports nothing;
    ``exit_after`` ends a process that stays although its session is finished.
    """

    slow_after: float | None = 60.0
    stall_after: float | None = None
    exit_after: float | None = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSpec:
    """How a runner measures: with coverage.py over ``source``, or with tools that leave ``files`` (globs)."""

    source: tuple[str, ...] = ()
    branch: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSpec:
    """A runner as phases.yaml names and configures it; folders are absolute paths.

    ``python``, ``json_report`` and ``warm`` are for pytest: its interpreter, whether it writes a report
    file, and how it is started; ``pack`` is for kinds that can carry several tests in one process;
    ``slot_databases`` gives each slot its own Django test databases; ``keepdb`` lets them outlive the run,
    and ``slot_caches`` gives each slot a prefix of its own in the caches. ``safeguards`` are for what only the
    settings of a Django project say.
    """

    name: str
    kind: str
    root: str
    cwd: str | None = None
    python: str | None = None
    json_report: bool = True
    pack: Packing = Packing.AUTO
    warm: Warm = Warm.AUTO
    slot_databases: bool = True
    keepdb: bool = False
    slot_caches: bool = False
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    coverage: CoverageSpec | None = None
    safeguards: Safeguards = field(default_factory=Safeguards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A named unit of a phase: what is dispatched, retried and timed.

    ``id`` is ``phase/name`` and unique in a plan. ``cwd`` is absolute, ``target`` is relative to it.
    ``env`` holds only what is added to the caller's environment. ``timeout`` is in seconds; None means
    that only the phase and the run limit it; ``artifacts`` are globs of files to keep, relative to ``cwd``;
    ``expected`` is how long it will probably take, None if nobody knows. ``isolation`` is None for a test that
    shares everything. ``condition`` is the ``when:`` that did not hold: such a test is skipped, and said to be.
    """

    __test__ = False  # The word is ours; pytest must not collect the class.

    id: str
    name: str
    phase: str
    runner: str
    kind: str
    target: str
    cwd: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    retries: RetryPolicy = RetryPolicy()
    flaky: FlakyPolicy = FlakyPolicy.WARN
    leaks: LeakPolicy = LeakPolicy.WARN
    watch: Watch = Watch()
    tags: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    expected: float | None = None
    isolation: Isolation | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPhase:
    """``needs`` are all phases that are finished before it starts, direct or not; None: all above it."""

    name: str
    runner: str
    parallel: bool
    required: bool
    timeout: float
    tests: tuple[Test, ...]
    description: str | None = None
    needs: tuple[str, ...] | None = None
    gates: Gates | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something the file names and the plan does not run, with the reason."""

    id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Which part of a whole plan a run is: number ``index`` of ``count``, from 1.

    ``tests`` are the ids of the whole plan in the order of the file, ``digest`` stands for their set.
    """

    index: int
    count: int
    digest: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.index}/{self.count}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will run, where and in which order; ``timeout`` in seconds for the whole run.

    ``secrets`` are names of environment variables whose values are masked, beside those that look secret.
    ``last_green`` is only known where a gate asks for it.
    ``safeguards`` are the rules about what may be touched, ``checked`` what was looked at by them.
    ``digest`` stands for the text of ``config``; empty if nobody knows it.
    """

    project: str
    config: str
    root: str
    timeout: float
    workers: int
    phases: tuple[PlannedPhase, ...]
    runners: tuple[RunnerSpec, ...] = ()
    services: tuple[PlannedService, ...] = ()
    databases: tuple[PlannedDatabase, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    retry_limits: RetryLimits = RetryLimits()
    max_failures: MaxFailures | None = None
    secrets: tuple[str, ...] = ()
    order: Order = Order.LONGEST
    gates: Gates | None = None
    last_green: LastGreen | None = None
    safeguards: Safeguards = field(default_factory=Safeguards)
    checked: tuple[Checked, ...] = ()
    artifacts: Artifacts = Artifacts()
    digest: str = ""

    @property
    def tests(self) -> tuple[Test, ...]:
        return tuple(test for phase in self.phases for test in phase.tests)

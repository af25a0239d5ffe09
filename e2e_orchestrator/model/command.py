"""What a runner asks to be executed, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from e2e_orchestrator.model.outcomes import Attachment, Case, Leak, Verdict
from e2e_orchestrator.model.plan import CoverageSpec, Warm

EVENTS, OUTPUT = "events.jsonl", "output.log"
"""In the folder of an attempt or a pack: the case stream, and what the child printed."""


class Limit(StrEnum):
    """Whose time was up: a limit of this name, or the patience with a test that does nothing any more."""

    TEST = "test"
    PHASE = "phase"
    RUN = "run"
    STALL = "stall"
    EXIT = "exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When an attempt must be over: ``at`` on the clock of the engine, the limit's whole ``seconds``.

    ``last`` is the limit of the phase or the run behind a test's own.
    """

    at: float
    limit: Limit
    seconds: float
    last: "Deadline | None" = None

    def later(self, waited: float) -> "Deadline":
        """After so many seconds that are none of the test's time; the limits of phase and run stay where they are."""
        if self.limit is not Limit.TEST:
            return self
        moved = replace(self, at=self.at + waited)
        return min(moved, self.last or moved, key=lambda one: one.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSpec:
    """Which execution of a test this is, and where it may write.

    ``folder`` is the attempt's own directory (absolute, existing); ``events`` the case stream in it, ``output``
    the log of what the child prints.
    ``only`` names the cases that this retry is about, empty means all of them; ``previous`` is the
    folder of the attempt before. ``owned`` are the variables of what its slot owns alone, ``renewals``
    how often any of that has been made.
    """

    number: int
    max_attempts: int
    run_id: str
    slot: int
    slot_count: int
    folder: Path
    output_root: Path
    only: tuple[str, ...] = ()
    previous: Path | None = None
    owned: Mapping[str, str] = field(default_factory=dict)
    renewals: int = 0

    @property
    def events(self) -> Path:
        return self.folder / EVENTS

    @property
    def output(self) -> Path:
        return self.folder / OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """A ``python -m NAME`` that may also be forked from a server.

    ``alike`` are the arguments of all attempts that a server could be for; ``target`` is the file or
    folder whose modules it will import, as far as that is known. ``coverage`` is what the command measures.
    """

    mode: Warm
    alike: tuple[str, ...]
    target: Path
    coverage: CoverageSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run: ``env`` holds what is added to the caller's environment."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    warm: WarmStart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something that tests need of the machine: there if ``ask`` ends with exit status 0, or without one to ask.

    ``missing`` says what a run would say, ``hint`` what to type then. One that is not ``needed`` may be missing,
    as nobody can know beforehand whether the tests want it.
    """

    name: str
    ask: Command | None = None
    missing: str = ""
    hint: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command ended and where its evidence lies.

    ``exit_status`` is negative when a signal ended the process and None when it never started
    (``start_error`` then says why). ``limit`` names the limit that ran out, ``interrupted`` a run that
    was cancelled; both mean that we ended the process, not it itself. ``duration`` and
    ``limit_seconds`` are in seconds; ``output`` is the file that holds everything the child printed, unless
    ``output_lost`` says why its end is missing.
    """

    exit_status: int | None
    duration: float
    folder: Path
    output: Path
    tail: str = ""
    start_error: str | None = None
    limit: Limit | None = None
    limit_seconds: float | None = None
    interrupted: str | None = None
    killed: bool = False
    leaked: tuple[Leak, ...] = ()
    output_lost: str | None = None

    @property
    def events(self) -> Path:
        return self.folder / EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a runner makes of a completed command.

    ``exit_status`` is of a test that a pack carried: what it would have ended with alone. None: as the pack did.
    """

    verdict: Verdict
    cases: tuple[Case, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    exit_status: int | None = None

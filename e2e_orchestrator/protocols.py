"""The whole plug-in surface: what runners, executors, reporters and surroundings have to offer."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Deadline, Judged, Tool
from e2e_orchestrator.model.events import Envelope, Event
from e2e_orchestrator.model.outcomes import Attempt
from e2e_orchestrator.model.packs import Carried, Pack, PackJudged, PackSpec
from e2e_orchestrator.model.plan import RunnerSpec, Test

Emit = Callable[[Event], Awaitable[None]]


class Runner(Protocol):
    """Translates between a kind of test and the programs that run it. Spawns nothing, times nothing.

    ``judge`` is called in a thread, as evidence may be large. If ``judges_nothing_at_once`` is true it is called
    in the event loop where an attempt left no file but its output: then it must not wait for anything.
    """

    def command(self, test: Test, spec: AttemptSpec) -> Command:
        """The program for one attempt.

        Raises InfrastructureError if a tool it needs is not installed, saying how to get it.
        """
        ...

    def judge(self, test: Test, spec: AttemptSpec, completed: Completed) -> Judged:
        """What the exit status and the evidence mean; called once, after the process has ended.

        Never passes a test without two witnesses: exit status 0 and complete evidence.
        """
        ...


@runtime_checkable
class PackingRunner(Runner, Protocol):
    """A runner that can also carry several tests in one process. All of it is optional."""

    def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        """Those of a parallel phase's tests that may share a process; the others run alone.

        Only tests whose end, cases and retries are provably those of a run alone.
        """
        ...

    def pack_command(self, spec: PackSpec) -> Command:
        """The program that runs all of them; raises InfrastructureError as ``command`` does."""
        ...

    def judge_pack(
        self, spec: PackSpec, completed: Completed, *, lost: Mapping[str, Completed]
    ) -> PackJudged:
        """Every test's share of the evidence, by test id; what is not sure is Undecided.

        ``lost`` has those tests whose own limit or patience made us end the process, and how each ended.
        """
        ...


@runtime_checkable
class ExclusiveRunner(Runner, Protocol):
    """A runner some of whose processes cannot stand each other."""

    def exclusive(self, test: Test) -> str | None:
        """Names what the process of this test, or of its pack, must have to itself; None if there is nothing.

        Of processes that name the same, whoever started them, one runs at a time. Called in a thread.
        """
        ...


@runtime_checkable
class ClosingRunner(Protocol):
    """A runner whose attempts leave something that only the end of the run can undo."""

    def closing(self, *, run_id: str, folder: Path) -> Sequence[Command]:
        """The programs to run after the last test, however the run ended; ``folder`` is the run's own."""
        ...


@runtime_checkable
class EquippedRunner(Protocol):
    """A runner that can say before a run which tools a test needs, for ``doctor``."""

    def tools(self, test: Test) -> Iterable[Tool]:
        """What ``command`` looks for and what only its program would miss; spawns nothing.

        Raises InfrastructureError as ``command`` does, for what is not there.
        """
        ...


RunnerFactory = Callable[[RunnerSpec], Runner]


class Cancellation(Protocol):
    """The run's wish to end, as an executor sees it: ``why`` is None as long as there is none."""

    @property
    def why(self) -> str | None: ...

    @property
    def kill(self) -> bool:
        """No time to be polite."""
        ...

    async def wait(self, *, kill: bool = False) -> None:
        """Returns once the run is cancelled; with ``kill``, once it is to be killed."""
        ...


class Executor(Protocol):
    """Executes attempts; the only part that knows processes or machines."""

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        """Runs one attempt to its end, whatever that is; never raises for what the test does."""
        ...


Begin = Callable[[str, int], Awaitable[None]]


@runtime_checkable
class PackingExecutor(Executor, Protocol):
    """An executor that can also carry packs. All of it is optional."""

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        """What the tests' runner offers; nothing if it offers nothing."""
        ...

    async def carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        """Runs a pack to its end; never raises for what its tests do.

        Awaits ``begin`` with a test's id and slot once its first case runs.
        """
        ...


def packing(executor: Executor) -> PackingExecutor:
    """The same, for whoever is asked to carry a pack. Raises TypeError for one that cannot have offered any."""
    if not isinstance(executor, PackingExecutor):
        raise TypeError("only an executor that offers packs is asked to carry one")
    return executor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterContext:
    """What a reporter is told when it is made.

    ``output`` is the output folder, ``run_folder`` this run's own below it; ``path`` is what followed
    ``name=`` on the command line. ``color`` is auto, always or never; ``verbosity`` -1, 0 or 1. When a run
    is replayed, ``live`` is false, and ``evidence`` is the output folder it had, if that is another one.
    """

    output: Path
    run_folder: Path
    path: Path | None = None
    color: str = "auto"
    verbosity: int = 0
    environ: Mapping[str, str] = field(default_factory=dict)
    live: bool = True
    evidence: Path | None = None

    @property
    def root(self) -> Path:
        """Where the relative paths in events start."""
        return self.evidence or self.output


class Reporter(Protocol):
    """Tells somebody what happens. Every report is a fold over the numbered envelopes.

    A reporter whose ``mandatory`` attribute is true turns a good run into exit code 5 when it breaks;
    no reporter can change a verdict. One whose ``closes_last`` is true hears what became of the others.
    """

    async def handle(self, envelope: Envelope) -> None: ...

    async def close(self) -> None:
        """Called once, after the last envelope, however the run ended."""
        ...


ReporterFactory = Callable[[ReporterContext], Reporter]


class Surroundings(Protocol):
    """What tests lean on while they run, as the engine sees it: it comes with a phase, and it may break."""

    def phase(self, name: str) -> AbstractAsyncContextManager[str | None]:
        """Around the tests of a phase; gives the reason if none of them can start."""
        ...

    def phase_waits(self, name: str) -> bool:
        """Whether :meth:`phase` may take its time for this one."""
        ...

    @property
    def broken(self) -> str | None:
        """Why no further test of any phase can be trusted; None as long as all is well."""
        ...

    def broken_in(self, phase: str) -> str | None:
        """The same for the tests of a phase, which may lean on more."""
        ...

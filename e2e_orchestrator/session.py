"""The composition root: from a plan to an exit code, with everything in between started and ended once."""

import asyncio
import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from e2e_orchestrator import __version__, plugins
from e2e_orchestrator.clock import Clock
from e2e_orchestrator.engine.bus import EventBus
from e2e_orchestrator.engine.cancel import CancelToken, heed_signals
from e2e_orchestrator.engine.carry_over import CarryOver
from e2e_orchestrator.engine.engine import Engine
from e2e_orchestrator.engine.gates import evaluate
from e2e_orchestrator.engine.phase_run import Place
from e2e_orchestrator.engine.verdict import SIGNAL_CODES, RunVerdict, counts, interrupted, judge_run
from e2e_orchestrator.errors import InfrastructureError, NowhereToReport, SafeguardRefused
from e2e_orchestrator.history.durations import remember
from e2e_orchestrator.history.learning import learn
from e2e_orchestrator.isolation.bases import Surrounds
from e2e_orchestrator.isolation.consent import refuse_strangers
from e2e_orchestrator.isolation.driver import Owner
from e2e_orchestrator.journal.keep import Keep
from e2e_orchestrator.journal.lock import RunLock, make_run_folder
from e2e_orchestrator.journal.retention import Sweeping
from e2e_orchestrator.journal.writer import JournalWriter
from e2e_orchestrator.measuring.coverage import measuring_of
from e2e_orchestrator.model.baseline import Baseline, BaselineChosen
from e2e_orchestrator.model.events import RunFinished, RunStarted, Warned
from e2e_orchestrator.model.outcomes import Reason, because
from e2e_orchestrator.model.plan import Plan, Screenshots, Shard
from e2e_orchestrator.planning.guarding import refuse_production
from e2e_orchestrator.planning.rerun import Rerun
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.protocols import Emit, Reporter, ReporterContext, Runner
from e2e_orchestrator.safety.redact import Redactor, redactor_for, refuse_secret_names
from e2e_orchestrator.stage import Stage
from e2e_orchestrator.storing.s3 import S3Place
from e2e_orchestrator.storing.uploads import Uploads

_REPORTERS_SECONDS = 30.0
_SWEEPING_SECONDS = 0.5
_FAILED, _MANDATORY_REPORT, _BUG = 1, 5, 70


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterChoice:
    """``asked`` is true if it was named for this run; one of the file's list may have nowhere to report."""

    name: str
    path: Path | None = None
    asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a run is to be carried out; what is to be run is the plan's.

    With ``rerun`` the plan is the rerun's own, of the union; with ``shard`` it is that shard's part.
    ``durations`` is the file that learns from the run, ``warnings`` what the run is to say at its beginning,
    and ``keep`` how many earlier runs stay. With ``keep_services`` the services stay until a signal comes.
    ``listeners`` are reporters that nobody names, of a program that runs us from inside; with ``baseline``
    is what reports compare the run. Who holds ``cancellation`` can end it from inside.
    """

    output: Path
    reporters: Sequence[ReporterChoice]
    color: str = "auto"
    verbosity: int = 0
    environ: Mapping[str, str] = field(default_factory=dict)
    rerun: Rerun | None = None
    shard: Shard | None = None
    durations: Path | None = None
    warnings: Sequence[str] = ()
    keep: Keep = field(default_factory=Keep)
    keep_services: bool = False
    listeners: Mapping[str, Reporter] = field(default_factory=dict)
    baseline: Baseline | None = None
    cancellation: CancelToken = field(default_factory=CancelToken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the last line on standard error tells."""

    run_id: str
    exit_code: int
    why: str
    duration: float
    folder: Path
    counts: Mapping[str, int]


async def run(plan: Plan, options: Options) -> Result:
    """Runs a plan to its end, however that comes about.

    Raises UsageError, SafeguardRefused or InfrastructureError only before anything was started.
    """
    refuse_production(plan)
    redactor = redactor_for(plan, options.environ)
    refuse_secret_names(plan, redactor)
    runners = {spec.name: plugins.runner(spec.kind)(spec) for spec in plan.runners}
    place = new_place(options.output.absolute())
    await refuse_strangers(_surrounds(plan, options, place=place))
    bucket = S3Place(address=plan.artifacts.store) if plan.artifacts.store else None
    found, absent = _reporters(options, place)
    reporters = {**found, **options.listeners}
    lock, journal = open_journal(place)
    clock, cancellation = Clock(), options.cancellation
    bus = EventBus(append=journal.append, redact=redactor.data, clock=clock)
    for name, reporter in reporters.items():
        bus.subscribe(name, reporter)
    part = _Run(
        plan=plan,
        options=replace(options, warnings=(*options.warnings, *absent)),
        place=place,
        bus=bus,
        runners=runners,
        redactor=redactor,
        clock=clock,
        cancellation=cancellation,
        uploads=_uploads(bucket, place=place, plan=plan, redactor=redactor, emit=bus.publish),
    )
    try:
        async with heed_signals(cancellation, tell=bus.publish):
            final = await part.with_reports(reporters)
    finally:
        journal.close()
        lock.release()
    return part.result(final)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The part between the first and the last event."""

    plan: Plan
    options: Options
    place: Place
    bus: EventBus
    runners: Mapping[str, Runner]
    redactor: Redactor
    clock: Clock
    cancellation: CancelToken
    uploads: Uploads | None

    @property
    def _remaining(self) -> Plan:
        return self.options.rerun.remaining if self.options.rerun else self.plan

    @property
    def _carry_over(self) -> CarryOver:
        return CarryOver(state=self.bus.state, publish=self.bus.publish)

    async def with_reports(self, reporters: Mapping[str, Reporter]) -> RunVerdict:
        """The whole run, told to its end to every reporter; a crash of ours is told as well."""
        started = self.clock.monotonic()
        last = {name for name, one in reporters.items() if getattr(one, "closes_last", False)}
        try:
            await self.bus.publish(self._beginning())
            if baseline := self.options.baseline:
                await self.bus.publish(BaselineChosen(baseline=baseline.masked(self.redactor.text)))
            for warning in self.options.warnings:
                await self.bus.publish(Warned(message=warning))
            verdict = await self.carry_out()
            took = self.clock.monotonic() - started
            await self._remember_durations()
            verdict = await self._settled(verdict)
            await self.bus.publish(self._ending(verdict, took=took))
            sweeping = None if self.cancellation.why else Sweeping(self.place.output, self.options.keep)
            await self._close(reporters.keys() - last)
            final = _with_reports(verdict, self.bus, reporters)
            if final != verdict:  # Said again, so that what closes last tells the exit code that comes.
                await self.bus.publish(self._ending(final, took=took))
            await self._close(last)
            if sweeping:
                sweeping.wait(_SWEEPING_SECONDS)
        except Exception as error:
            why = f"a bug of ours: {type(error).__name__}: {error}"
            took = self.clock.monotonic() - started
            await self.bus.publish(self._ending(RunVerdict(exit_code=_BUG, why=why), took=took))
            await self._close(reporters)
            raise
        return final

    async def _settled(self, verdict: RunVerdict) -> RunVerdict:
        """A signal during the wait for uploads interrupts the run; one that only ended the services does not."""
        kept = self.options.keep_services and self.cancellation.why
        if self.uploads:
            await self.uploads.settle(hurry=self.cancellation.pressed)
        why = self.cancellation.why
        return interrupted(why) if why in SIGNAL_CODES and not kept else verdict

    async def _close(self, names: Collection[str]) -> None:
        await self.bus.close(patience=_REPORTERS_SECONDS, names=names, hurry=self.cancellation.pressed)

    def _beginning(self) -> RunStarted:
        return RunStarted(
            run_id=self.place.run_id,
            started_at=local_now(),
            version=__version__,
            plan=self.plan,
            rerun_of=self.options.rerun.of if self.options.rerun else None,
            shard=self.options.shard,
        )

    async def _remember_durations(self) -> None:
        path = self.options.durations
        if path and (warning := remember(path, learn(self.bus.state))):
            await self.bus.publish(Warned(message=warning))

    def _ending(self, verdict: RunVerdict, *, took: float) -> RunFinished:
        return RunFinished(
            exit_code=verdict.exit_code,
            success=verdict.success,
            duration=took,
            why=verdict.why,
            counts=counts(self.bus.state),
        )

    def result(self, verdict: RunVerdict) -> Result:
        finished = self.bus.state.finished
        return Result(
            run_id=self.place.run_id,
            exit_code=verdict.exit_code,
            why=self.redactor.text(verdict.why),
            duration=finished.duration if finished else 0.0,
            folder=self.place.folder,
            counts=counts(self.bus.state),
        )

    async def carry_out(self) -> RunVerdict:
        if rerun := self.options.rerun:
            await self._carry_over.announce(rerun.carried, remaining=self._remaining, warnings=rerun.warnings)
        secret = tuple(self.redactor.mask.literals)
        async with AsyncExitStack() as stack:
            supervisor = await stack.enter_async_context(
                Supervisor(log=self.place.folder / "keeper.log", secrets=secret)
            )
            stage, verdict = self._stage(supervisor), None
            try:
                async with stage.up():
                    await self._engine(stage).run(self._remaining)
                    if self.options.keep_services and not self.cancellation.why:
                        verdict = await self._conclude()
                        await self._hold(stage, verdict)
            except (InfrastructureError, SafeguardRefused) as error:
                await self._skip_all(stage, error.message)
                verdict = await self._conclude()
                if verdict.exit_code == _FAILED:  # Nothing ran, and the events do not say whose fault it is.
                    verdict = RunVerdict(exit_code=error.exit_code, why=error.message)
        return verdict or await self._conclude()

    async def _skip_all(self, stage: Stage, why: str) -> None:
        reason = Reason.CANCELLED if self.cancellation.why else Reason.BLOCKED
        await self._engine(stage).skip(self._remaining, because(reason, why))

    async def _conclude(self) -> RunVerdict:
        await self._measure()
        for gate in evaluate(self.bus.state):
            await self.bus.publish(gate)
        return judge_run(self.bus.state)

    async def _measure(self) -> None:
        """Not of a run that somebody wants to be over."""
        if self.cancellation.why:
            return
        measuring = measuring_of(
            self.runners,
            output=self.place.output,
            folder=self.place.folder,
            environ=_for_children(self.options.environ),
        )
        if told := await asyncio.to_thread(measuring.measure, self.bus.state):
            await self.bus.publish(told)

    async def _hold(self, stage: Stage, verdict: RunVerdict) -> None:
        """The verdict is known: the signal that ends the waiting changes nothing about it."""
        kept = "; ".join(stage.world.described()) or "there are none"
        said = f"exit code {verdict.exit_code}: {verdict.why}. Services are kept until Ctrl-C: {kept}"
        await self.bus.publish(Warned(message=said))
        await self.cancellation.wait()

    def _stage(self, supervisor: Supervisor) -> Stage:
        return Stage(
            plan=self._remaining,
            environ=_for_children(self.options.environ),
            owner=_owner(self.place),
            place=self.place,
            supervisor=supervisor,
            runners=self.runners,
            redactor=self.redactor,
            cancellation=self.cancellation,
            clock=self.clock,
            emit=self.bus.publish,
            uploads=self.uploads,
        )

    def _engine(self, stage: Stage) -> Engine:
        return Engine(
            executor=stage.executor,
            publish=self._carry_over.forward if self.options.rerun else self.bus.publish,
            cancellation=self.cancellation,
            place=self.place,
            clock=self.clock,
            surroundings=stage.world,
        )


def _for_children(environ: Mapping[str, str]) -> dict[str, str]:
    """Without the variables that stand for our own options: they would bend a run inside this run."""
    return {name: value for name, value in environ.items() if not name.startswith("E2E_ORCHESTRATE_")}


def _surrounds(plan: Plan, options: Options, *, place: Place) -> Surrounds:
    return Surrounds(
        plan=plan, environ=_for_children(options.environ), owner=_owner(place), rules=plan.safeguards
    )


def _uploads(
    bucket: S3Place | None, *, place: Place, plan: Plan, redactor: Redactor, emit: Emit
) -> Uploads | None:
    if bucket is None:
        return None
    return Uploads(
        bucket=bucket,
        output=place.output,
        folder=place.folder,
        mask=redactor.mask,
        emit=emit,
        pictures=plan.artifacts.screenshots is Screenshots.ALWAYS,
    )


def _owner(place: Place) -> Owner:
    return Owner(run_id=place.run_id, folder=place.folder)


def new_place(output: Path) -> Place:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    run_id = f"{stamp}-{secrets.token_hex(3)}"
    return Place(run_id=run_id, output=output, folder=output / "runs" / run_id)


def open_journal(place: Place) -> tuple[RunLock, JournalWriter]:
    """Makes the run's own folder with it; the last thing that can go wrong before anything starts."""
    try:
        lock = make_run_folder(place.folder)
        return lock, JournalWriter(place.folder / "journal.jsonl")
    except OSError as error:
        raise InfrastructureError(
            f"the output folder cannot be written: {error}",
            hint="use --output PATH with a folder you may write",
        ) from error


def _reporters(options: Options, place: Place) -> tuple[dict[str, Reporter], list[str]]:
    """Those that are to report, and a sentence about each that has nowhere to."""
    found: dict[str, Reporter] = {}
    absent: list[str] = []
    for choice in options.reporters:
        context = ReporterContext(
            output=place.output,
            run_folder=place.folder,
            path=choice.path,
            color=options.color,
            verbosity=options.verbosity,
            environ=options.environ,
        )
        try:
            found[choice.name] = plugins.reporter(choice.name)(context)
        except NowhereToReport as error:
            if choice.asked:
                raise
            if not error.elsewhere:
                absent.append(f"{error.message}; this run does without it: {error.hint}")
    return found, absent


def _with_reports(verdict: RunVerdict, bus: EventBus, reporters: Mapping[str, Reporter]) -> RunVerdict:
    """A good run whose record could not be written is not good enough for a gate."""
    if not verdict.success:
        return verdict
    if bus.journal_error:
        return RunVerdict(exit_code=_MANDATORY_REPORT, why=bus.journal_error)
    for name, error in bus.broken.items():
        if getattr(reporters[name], "mandatory", False):
            why = f"the mandatory report {name!r} failed: {error}"
            return RunVerdict(exit_code=_MANDATORY_REPORT, why=why)
    return verdict


def local_now() -> str:
    return datetime.now().astimezone().isoformat(timespec="milliseconds")

"""Executes attempts as processes of this machine."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.executors.artifacts import Collected, Stamps, collect, stamps
from e2e_orchestrator.executors.ending import end_within, printed
from e2e_orchestrator.executors.live import Live, Patience
from e2e_orchestrator.executors.still_there import still_there
from e2e_orchestrator.executors.warm_start import Asked, WarmStarts
from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Deadline, Judged
from e2e_orchestrator.model.events import Warned
from e2e_orchestrator.model.outcomes import Attachment, Attempt, Reason, because
from e2e_orchestrator.model.plan import LeakPolicy, Test
from e2e_orchestrator.model.trace import TRACEPARENT, is_traced, trace_of
from e2e_orchestrator.process.ending import Grace
from e2e_orchestrator.process.output import tail_of
from e2e_orchestrator.process.supervisor import Child, Ended, Supervisor
from e2e_orchestrator.protocols import Cancellation, Emit, Runner
from e2e_orchestrator.safety.folder import is_bare, mask_files
from e2e_orchestrator.safety.redact import Redactor

_JUDGE_SECONDS = 120.0
_SHARE_OF_WAITING = 0.2  # Of an attempt's time, at most, goes into waiting for a warm start.
_ONLY = "only.json"
_MOST_SAID = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Why we ended a child, and whether it had to be killed."""

    killed: bool
    lost: Patience | None = None
    interrupted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalExecutor:
    """``environ`` is what every child gets before its own additions."""

    supervisor: Supervisor
    runners: Mapping[str, Runner]
    environ: Mapping[str, str]
    redactor: Redactor
    clock: Clock = field(default_factory=Clock)
    grace: Grace = field(default_factory=Grace)
    warm: WarmStarts | None = None

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        started_at, started = self.clock.now(), self.clock.monotonic()
        try:
            return await self._attempt(test, spec, deadline=deadline, cancellation=cancellation, emit=emit)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - one odd test must not end the others.
            why = f"the attempt could not be carried out: {type(error).__name__}: {error}"
            return Attempt(
                number=spec.number,
                started_at=started_at,
                duration=self.clock.monotonic() - started,
                verdict=because(Reason.INFRASTRUCTURE, why),
                slot=spec.slot,
            )

    async def _attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        started_at, started = self.clock.now(), self.clock.monotonic()
        artifacts: tuple[Attachment, ...] = ()
        try:
            _make_room(spec)
            before = await self._stamps(test, spec)
            command = self.runners[test.runner].command(test, spec)
        except (InfrastructureError, OSError) as error:
            judged = Judged(verdict=because(Reason.INFRASTRUCTURE, str(error)))
            completed = Completed(exit_status=None, duration=0.0, folder=spec.folder, output=spec.output)
        else:
            completed = await self._execute(
                test, spec, command, deadline=deadline, cancellation=cancellation, emit=emit
            )
            if lost := completed.output_lost:
                cut = f"the end of what attempt {spec.number} printed is not in its log: {lost}"
                await emit(Warned(message=f"{test.id}: {cut}"))
            artifacts = await self._collect(test, spec, before=before, emit=emit)
            judged = _with_leaks(await self._judge(test, spec, completed, emit=emit), test, completed)
        attempt = Attempt(
            number=spec.number,
            started_at=started_at,
            duration=self.clock.monotonic() - started,
            verdict=judged.verdict,
            slot=spec.slot,
            exit_status=completed.exit_status,
            output=printed(spec) if spec.output.exists() else None,
            cases=judged.cases,
            attachments=(*judged.attachments, *artifacts),
            leaked=completed.leaked,
        )
        return still_there(attempt, root=spec.output_root)

    async def _execute(  # noqa: PLR0913 - the attempt's arguments and the command.
        self,
        test: Test,
        spec: AttemptSpec,
        command: Command,
        *,
        deadline: Deadline,
        cancellation: Cancellation,
        emit: Emit,
    ) -> Completed:
        started = self.clock.monotonic()
        patience = max(0.0, deadline.at - started) * _SHARE_OF_WAITING
        child = await self._start(
            test, spec, command, patience=patience, cancellation=cancellation, emit=emit
        )
        live = Live(test=test, spec=spec, emit=emit, clock=self.clock)
        impatient = asyncio.create_task(live.lost_patience())
        try:
            stop = await self._until_over(child, impatient, deadline=deadline, cancellation=cancellation)
            ended = await child.ended()
        finally:
            child.kill()
            impatient.cancel()
            with suppress(asyncio.CancelledError):
                await impatient
            await live.catch_up()
        return _completed(spec, ended, stop=stop, duration=self.clock.monotonic() - started)

    async def _start(  # noqa: PLR0913 - the attempt's arguments and the command.
        self,
        test: Test,
        spec: AttemptSpec,
        command: Command,
        *,
        patience: float,
        cancellation: Cancellation,
        emit: Emit,
    ) -> Child:
        common = {**self.environ, **command.env}
        env = {**common, **_contract(test, spec), **self._traced(test, spec)}
        if self.warm is None or command.warm is None:
            return await self.supervisor.start(command.argv, cwd=command.cwd, env=env, output=spec.output)
        asked = Asked(
            test=test,
            spec=spec,
            command=command,
            warm=command.warm,
            common=common,
            env=env,
            output=spec.output,
            emit=emit,
            cancellation=cancellation,
            patience=patience,
        )
        return await self.warm.start(asked)

    async def _until_over(
        self,
        child: Child,
        impatient: asyncio.Task[Patience],
        *,
        deadline: Deadline,
        cancellation: Cancellation,
    ) -> _Stop | None:
        """Waits for the process itself; ends it when its time is up or the run is cancelled.

        The grace of the ending is part of a limit, not on top of it.
        """
        left = max(0.0, deadline.at - self.clock.monotonic())
        grace = self.grace.within(min(left, deadline.seconds))
        exited = child.exited()
        cancelled = asyncio.ensure_future(cancellation.wait())
        try:
            waits: set[asyncio.Future[Any]] = {exited, cancelled, impatient}  # Any: of different results.
            await asyncio.wait(waits, timeout=left - grace.total, return_when=asyncio.FIRST_COMPLETED)
            if exited.done():
                return None
            if cancelled.done():
                killed = await end_within(child, grace=grace, cancellation=cancellation)
                return _Stop(interrupted=cancellation.why, killed=killed)
            lost = Patience(limit=deadline.limit, seconds=deadline.seconds)
            if impatient.done():
                lost = impatient.result()
            return _Stop(lost=lost, killed=await end_within(child, grace=grace, cancellation=cancellation))
        finally:
            exited.cancel()
            cancelled.cancel()

    def _traced(self, test: Test, spec: AttemptSpec) -> dict[str, str]:
        """The attempt as the parent of whatever its child traces, where anybody looks at traces."""
        if not is_traced(self.environ):
            return {}
        trace = trace_of(spec.run_id, self.environ)
        return {TRACEPARENT: trace.traceparent(test.phase, test.id, str(spec.number))}

    @staticmethod
    async def _stamps(test: Test, spec: AttemptSpec) -> Stamps:
        if not test.artifacts:
            return {}
        return await asyncio.to_thread(stamps, test.artifacts, cwd=Path(test.cwd), spec=spec)

    async def _collect(
        self, test: Test, spec: AttemptSpec, *, before: Stamps, emit: Emit
    ) -> tuple[Attachment, ...]:
        """Before the evidence is read and masked, so that nothing collected goes unmasked."""
        if not test.artifacts:
            return ()
        try:
            found = await asyncio.to_thread(
                collect, test.artifacts, cwd=Path(test.cwd), spec=spec, before=before
            )
        except (OSError, ValueError) as error:
            found = Collected(left=(str(error),))
        for why in found.left[:_MOST_SAID]:
            await emit(Warned(message=f"{test.id}: artifact not collected: {why}"))
        if (more := len(found.left) - _MOST_SAID) > 0:
            await emit(Warned(message=f"{test.id}: {more} more artifacts were not collected"))
        return found.attachments

    async def _judge(self, test: Test, spec: AttemptSpec, completed: Completed, *, emit: Emit) -> Judged:
        bare = False
        try:
            runner = self.runners[test.runner]
            if getattr(runner, "judges_nothing_at_once", False) and (bare := self._is_bare(spec)):
                return runner.judge(test, spec, completed)
            async with asyncio.timeout(_JUDGE_SECONDS):
                judged, bare = await asyncio.to_thread(self._read_evidence, test, spec, completed)
                return judged
        except (Exception, SystemExit) as error:  # noqa: BLE001 - no plug-in is trusted; a wrong one cannot turn a test green.
            message = f"the {test.kind} runner could not read the evidence: {type(error).__name__}: {error}"
            return Judged(verdict=because(Reason.EVIDENCE_MISSING, message))
        finally:
            if not bare:
                await self._mask_files(test, spec, emit=emit)

    def _read_evidence(self, test: Test, spec: AttemptSpec, completed: Completed) -> tuple[Judged, bool]:
        """In a thread: the runner's word, and whether there is nothing to mask."""
        judged = self.runners[test.runner].judge(test, spec, completed)
        return judged, self._is_bare(spec)

    @staticmethod
    def _is_bare(spec: AttemptSpec) -> bool:
        """Whether the child left nothing but its output."""
        return is_bare(spec.folder, below=spec.output_root, spared=spec.output)

    async def _mask_files(self, test: Test, spec: AttemptSpec, *, emit: Emit) -> None:
        """What the child itself wrote beside its output, which was masked on its way."""
        left = await asyncio.to_thread(
            mask_files,
            spec.folder,
            below=spec.output_root,
            mask=self.redactor.mask,
            spared=spec.output,
        )
        if left:
            more = f"; and {len(left) - _MOST_SAID} more" if len(left) > _MOST_SAID else ""
            said = "; ".join(left[:_MOST_SAID])
            await emit(
                Warned(message=f"{test.id}: attempt {spec.number} may have left secrets: {said}{more}")
            )


def _with_leaks(judged: Judged, test: Test, completed: Completed) -> Judged:
    """What it left behind is shown in any case; where the plan says so it also fails the test."""
    if test.leaks is not LeakPolicy.FAIL or not completed.leaked or judged.verdict.failed:
        return judged
    left = ", ".join(f"{leak.pid} ({leak.command})" for leak in completed.leaked)
    return replace(judged, verdict=because(Reason.TEST_FAILURES, f"left processes behind: {left}"))


def _make_room(spec: AttemptSpec) -> None:
    spec.folder.parent.mkdir(parents=True, exist_ok=True)  # First, as it is not there at a first attempt.
    spec.folder.mkdir(exist_ok=True)
    if spec.only:
        (spec.folder / _ONLY).write_text(json.dumps(spec.only), encoding="ascii")


def _contract(test: Test, spec: AttemptSpec) -> dict[str, str]:
    """The variables that every test can rely on."""
    return {
        "E2E_RUN_ID": spec.run_id,
        "E2E_PHASE": test.phase,
        "E2E_TEST": test.name,
        "E2E_ATTEMPT": str(spec.number),
        "E2E_MAX_ATTEMPTS": str(spec.max_attempts),
        "E2E_SLOT": str(spec.slot),
        "E2E_SLOT_COUNT": str(spec.slot_count),
        "E2E_OUTPUT_DIR": str(spec.folder),
        "E2E_EVENTS": str(spec.events),
        **({"E2E_ONLY": str(spec.folder / _ONLY)} if spec.only else {}),
    }


def _completed(spec: AttemptSpec, ended: Ended, *, stop: _Stop | None, duration: float) -> Completed:
    lost = stop.lost if stop else None
    return Completed(
        exit_status=ended.exit_status,
        duration=duration,
        folder=spec.folder,
        output=spec.output,
        tail=tail_of(spec.output),
        start_error=ended.start_error,
        limit=lost.limit if lost else None,
        limit_seconds=lost.seconds if lost else None,
        interrupted=stop.interrupted if stop else None,
        killed=bool(stop and stop.killed),
        leaked=ended.leaked,
        output_lost=ended.output_lost,
    )

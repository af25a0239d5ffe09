"""Executes packs as processes of this machine, and single attempts by the executor it is given."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.executors.ending import end_within, printed
from e2e_orchestrator.executors.live import Patience
from e2e_orchestrator.executors.pack_live import Impatience, Member, PackLive
from e2e_orchestrator.executors.still_there import still_there
from e2e_orchestrator.model.command import OUTPUT, AttemptSpec, Command, Completed, Deadline, Judged
from e2e_orchestrator.model.outcomes import Attempt, Status
from e2e_orchestrator.model.packs import Carried, Pack, PackJudged, PackSpec, Undecided
from e2e_orchestrator.model.plan import LeakPolicy, Test
from e2e_orchestrator.process.ending import Grace
from e2e_orchestrator.process.output import tail_of
from e2e_orchestrator.process.supervisor import Child, Ended, Supervisor
from e2e_orchestrator.protocols import Begin, Cancellation, Emit, Executor, PackingRunner, Runner
from e2e_orchestrator.safety.folder import mask_files
from e2e_orchestrator.safety.redact import Redactor

_JUDGE_SECONDS = 120.0
# What is a single test's own, and may come from a run that this one is inside of.
_NOBODYS = ("E2E_TEST", "E2E_MAX_ATTEMPTS", "E2E_ONLY", "E2E_SLOT")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Why we ended a pack."""

    killed: bool
    lost: Impatience | None = None
    limit: Deadline | None = None
    interrupted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedExecutor:
    """``alone`` executes what is not packed; ``environ`` is what every child gets before its own additions."""

    alone: Executor
    supervisor: Supervisor
    runners: Mapping[str, Runner]
    environ: Mapping[str, str]
    redactor: Redactor
    clock: Clock = field(default_factory=Clock)
    grace: Grace = field(default_factory=Grace)

    async def attempt(
        self, test: Test, spec: AttemptSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit
    ) -> Attempt:
        return await self.alone.attempt(test, spec, deadline=deadline, cancellation=cancellation, emit=emit)

    async def packs(self, tests: Sequence[Test], *, slots: int) -> Sequence[Pack]:
        """A runner that breaks over the question gets none: running alone is always possible.

        A test that asks for artifacts runs alone: nobody could tell whose the files of a pack are.
        """
        tests = [test for test in tests if not test.artifacts]
        runner = self.runners[tests[0].runner] if tests else None
        if not isinstance(runner, PackingRunner):
            return ()
        try:
            return await asyncio.to_thread(runner.packs, tests, slots=slots)
        except Exception:  # noqa: BLE001 - no plug-in is trusted.
            return ()

    async def carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        try:
            return await self._carry(
                spec, deadline=deadline, cancellation=cancellation, emit=emit, begin=begin
            )
        except (Exception, SystemExit) as error:  # noqa: BLE001 - alone, each of them says what is wrong with it.
            why = f"the pack could not be carried: {type(error).__name__}: {error}"
            return Carried(undecided={test.id: Undecided(why=why) for test in spec.pack.tests})

    async def _carry(
        self, spec: PackSpec, *, deadline: Deadline, cancellation: Cancellation, emit: Emit, begin: Begin
    ) -> Carried:
        for folder in (spec.folder, *(one.folder for one in spec.specs.values())):
            folder.mkdir(parents=True, exist_ok=True)
        runner = self.runners[spec.pack.tests[0].runner]
        if not isinstance(runner, PackingRunner):
            raise InfrastructureError("its runner carries no packs")
        command = runner.pack_command(spec)
        live = PackLive(spec=spec, emit=emit, begin=begin, clock=self.clock, grace=self.grace)
        started = self.clock.monotonic()
        ended, stop = await self._run(command, live, deadline=deadline, cancellation=cancellation)
        completed = _completed(spec, ended, stop=stop, duration=self.clock.monotonic() - started)
        try:
            judged = await self._judge(runner, spec, completed, lost=_lost(completed, stop))
        finally:
            left = await asyncio.to_thread(self._mask, spec)
        carried = _sorted(spec, live.members, judged, completed, now=self.clock.now())
        for one in carried.undecided:
            shutil.rmtree(spec.specs[one].folder, ignore_errors=True)
        return Carried(
            attempts=carried.attempts,
            undecided=carried.undecided,
            warnings=(*carried.warnings, *left),
            ended_for=frozenset(stop.lost.tests if stop and stop.lost else ()),
        )

    async def _run(
        self, command: Command, live: PackLive, *, deadline: Deadline, cancellation: Cancellation
    ) -> tuple[Ended, _Stop | None]:
        spec = live.spec
        environ = {name: value for name, value in self.environ.items() if name not in _NOBODYS}
        env = {**environ, **command.env, **_contract(spec)}
        child = await self.supervisor.start(command.argv, cwd=command.cwd, env=env, output=spec.output)
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
        for member in live.members.values():
            member.settle(self.clock.monotonic())
        return ended, stop

    async def _until_over(
        self,
        child: Child,
        impatient: asyncio.Task[Impatience],
        *,
        deadline: Deadline,
        cancellation: Cancellation,
    ) -> _Stop | None:
        """Waits for the process itself; ends it for a test's sake, for all, or when the run is cancelled."""
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
            if impatient.done():
                lost = impatient.result()
                grace = self._shortest(lost, within=grace)
                return _Stop(
                    lost=lost, killed=await end_within(child, grace=grace, cancellation=cancellation)
                )
            killed = await end_within(child, grace=grace, cancellation=cancellation)
            return _Stop(limit=deadline, killed=killed)
        finally:
            exited.cancel()
            cancelled.cancel()

    def _shortest(self, lost: Impatience, *, within: Grace) -> Grace:
        """The grace that fits into every limit that is over."""
        limits = [one.seconds for one in (*lost.tests.values(), *([lost.whole] if lost.whole else []))]
        return min((within, *map(self.grace.within, limits)), key=lambda grace: grace.total)

    async def _judge(
        self, runner: PackingRunner, spec: PackSpec, completed: Completed, *, lost: Mapping[str, Completed]
    ) -> PackJudged:
        async with asyncio.timeout(_JUDGE_SECONDS):
            return await asyncio.to_thread(runner.judge_pack, spec, completed, lost=lost)

    def _mask(self, spec: PackSpec) -> list[str]:
        """What the child itself wrote, beside the pack's output, which was masked on its way."""
        root, spared = spec.first.output_root, spec.output
        left: list[str] = []
        for folder in (spec.folder, *(one.folder for one in spec.specs.values())):
            _point_to(spared, folder / OUTPUT, root=root)
            left += mask_files(folder, below=root, mask=self.redactor.mask, spared=spared)
        return [f"a pack may have left secrets: {one}" for one in left]


def _contract(spec: PackSpec) -> dict[str, str]:
    """The variables of every test, as far as they are the same for all of the pack."""
    first = spec.first
    slot = {"E2E_SLOT": str(spec.slots[0])} if len(spec.slots) == 1 else {}
    return {
        "E2E_RUN_ID": first.run_id,
        "E2E_PHASE": spec.pack.tests[0].phase,
        "E2E_ATTEMPT": str(first.number),
        "E2E_SLOT_COUNT": str(first.slot_count),
        "E2E_OUTPUT_DIR": str(spec.folder),
        "E2E_EVENTS": str(spec.events),
        **slot,
    }


def _completed(spec: PackSpec, ended: Ended, *, stop: _Stop | None, duration: float) -> Completed:
    whole = _patience(stop)
    return Completed(
        exit_status=ended.exit_status,
        duration=duration,
        folder=spec.folder,
        output=spec.output,
        tail=tail_of(spec.output),
        start_error=ended.start_error,
        limit=whole.limit if whole else None,
        limit_seconds=whole.seconds if whole else None,
        interrupted=stop.interrupted if stop else None,
        killed=bool(stop and stop.killed),
        leaked=ended.leaked,
        output_lost=ended.output_lost,
    )


def _patience(stop: _Stop | None) -> Patience | None:
    """The limit that was over for all of the pack."""
    if stop and stop.limit:
        return Patience(limit=stop.limit.limit, seconds=stop.limit.seconds)
    return stop.lost.whole if stop and stop.lost else None


def _lost(completed: Completed, stop: _Stop | None) -> dict[str, Completed]:
    """How the tests ended because of which we ended the pack."""
    tests = stop.lost.tests if stop and stop.lost else {}
    return {
        one: replace(completed, limit=patience.limit, limit_seconds=patience.seconds)
        for one, patience in tests.items()
    }


def _sorted(
    spec: PackSpec, members: Mapping[str, Member], judged: PackJudged, completed: Completed, *, now: str
) -> Carried:
    attempts: dict[str, Attempt] = {}
    undecided: dict[str, Undecided] = {}
    left = ", ".join(f"{leak.pid} ({leak.command})" for leak in completed.leaked)
    for test in spec.pack.tests:
        one = judged.get(test.id, Undecided(why="its runner said nothing about it"))
        if left and test.leaks is LeakPolicy.FAIL:
            one = Undecided(why=f"the pack left processes behind, and nobody knows whose: {left}")
        if isinstance(one, Undecided):
            undecided[test.id] = one
        else:
            attempts[test.id] = _attempt(members[test.id], one, completed, now=now)
    pack = f"pack {spec.folder.name}"
    warnings = [f"{pack} left processes behind: {left}"] if left else []
    if lost := completed.output_lost:
        warnings.append(f"the end of what {pack} printed is not in its log: {lost}")
    return Carried(attempts=attempts, undecided=undecided, warnings=tuple(warnings))


def _attempt(member: Member, judged: Judged, completed: Completed, *, now: str) -> Attempt:
    """Its exit status is the pack's, unless that is about others."""
    spec = member.spec
    failed = completed.exit_status if judged.exit_status is None else judged.exit_status
    good = judged.verdict.status in (Status.PASSED, Status.SKIPPED)
    attempt = Attempt(
        number=spec.number,
        started_at=member.started_at or now,
        duration=member.busy(0.0),
        verdict=judged.verdict,
        slot=spec.slot,
        exit_status=0 if good else failed,
        output=printed(spec),
        cases=judged.cases,
        attachments=judged.attachments,
    )
    return still_there(attempt, root=spec.output_root)


def _point_to(output: Path, own: Path, *, root: Path) -> None:
    """Says at the end of a test's own output where the rest of it is."""
    if own == output or not own.parent.is_dir():
        return
    with suppress(OSError), own.open("ab") as file:
        where = output.relative_to(root).as_posix()
        file.write(
            f"\n[e2e-orchestrator: one process carried this test and others; all it printed is in {where}]\n".encode()
        )

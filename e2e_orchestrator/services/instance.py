"""One service from its start to its end, with the starts in between that its restarts allow."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.events import (
    ServiceFailed,
    ServiceReady,
    ServiceRestarting,
    ServiceStarted,
    ServiceStopped,
    Warned,
)
from e2e_orchestrator.model.service import PlannedService
from e2e_orchestrator.process.ending import Grace, end
from e2e_orchestrator.process.listeners import stranger_on
from e2e_orchestrator.process.output import size_of, tail_of
from e2e_orchestrator.process.supervisor import Child, Ended
from e2e_orchestrator.safety.words import is_local
from e2e_orchestrator.services import compose, readiness
from e2e_orchestrator.services.composed import Composed
from e2e_orchestrator.services.ground import Ground
from e2e_orchestrator.services.probes import Asker, own_endpoints, taken

_HURRIED = Grace(interrupt=1.0, terminate=0.3)
_STOP_SECONDS = 60.0
_HURRIED_STOP_SECONDS = 3.0
_LAST_WORDS_SECONDS = 2.0
_HEALTH_TRIES = 3
_ENGINE_SECONDS = 5.0
_ENGINE_INTERVAL = 0.1


class Instance:
    """``label`` is what events call it, ``failure`` why there will be no more of it."""

    def __init__(self, service: PlannedService, *, label: str, log: Path, ground: Ground) -> None:
        self.service, self.label, self.log = service, label, log
        self.log_name = log.relative_to(ground.output).as_posix()
        self.failure: str | None = None
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ground, self._emit = ground, ground.emit
        self._env = {**ground.environ, **service.env}
        self._composed = (
            Composed(
                service.compose,
                project=compose.project_of(ground.run_id, label),
                environ=self._env,
                run=ground.logs.parent,
            )
            if service.compose
            else None
        )
        self._argv = service.command
        self._child: Child | None = None
        self._since = 0
        self._restarts = 0
        self._stopping = self._ready = False
        self._unwell: str | None = None
        self._looking = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def talks(self) -> bool:
        """Whether it is a process of ours that may print at any time."""
        return not self.service.external and self.service.task is None

    @property
    def stands(self) -> bool:
        """Whether it got ready, has not failed since, and nobody has asked for its end."""
        return self._ready and not self._stopping and self.failure is None

    async def start(self) -> None:
        """Returns once it is ready, or done if it is a task. Raises InfrastructureError if it never will be."""
        if not self.service.external:
            self._ground.logs.mkdir(parents=True, exist_ok=True)
            self.log.parent.mkdir(parents=True, exist_ok=True)
        await self._emit(ServiceStarted(service=self.label, log=self.log_name))
        if self.service.task is not None:
            await self._carry_out(self.service.task)
        else:
            await self._bring_up()
            if self._child:
                self._watch = asyncio.create_task(self._stand_by(self._child))
        self._ready = True

    async def stop(self) -> None:
        """Whatever state it is in; nothing of it is left."""
        self._stopping = True
        if self._child:
            await self._end(self._child)
        if self._watch:
            await self._watch
        elif self._child and self.service.task is None:
            await self._emit(
                ServiceStopped(service=self.label, exit_status=(await self._child.ended()).exit_status)
            )
        await self._remove_containers()

    async def settled(self) -> None:
        """Returns once it is not being started again: it is there, or its ``failure`` says why not."""
        await self._settled.wait()

    async def check(self) -> str | None:
        """None if it still answers as it did when it was ready; else it counts as lost, and why is said."""
        if self.failure or self.service.task is not None:
            return self.failure
        for _ in range(_HEALTH_TRIES):
            if (answer := await readiness.ask_once(self.service.ready, self._asker())) is None:
                return None
        self._unwell = unwell = f"does not answer any more: {answer}"
        if self._child is None:
            await self._tell_failure(unwell)
        else:
            await self._give_up(self._child)
        return unwell

    async def look(self) -> None:
        """After a test failed: one container of several may be dead, which no process of ours has seen."""
        lost = self.lost
        async with self._looking:
            child = self._child
            if self._composed is None or child is None or lost.done() or self._stopping:
                return
            if failed := await self._failed_containers(self._composed):
                self._unwell = f"{failed} while tests were running"
                await self._give_up(child)

    async def _failed_containers(self, composed: Composed) -> str | None:
        """Where it does not answer any more, its engine may not know yet that a container ended."""
        failed = await composed.failed()
        if failed or await readiness.ask_once(self.service.ready, self._asker()) is None:
            return failed
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENGINE_SECONDS):
                while (failed := await composed.failed()) is None:  # noqa: ASYNC110 - nobody would tell us.
                    await asyncio.sleep(_ENGINE_INTERVAL)
        return failed

    async def _give_up(self, child: Child) -> None:
        """What is not well any more counts as lost; it may be started again."""
        lost = self.lost
        if self._composed:
            await self._stop_containers(child, _HURRIED)
        child.kill()
        await lost
        await self.settled()

    async def _carry_out(self, seconds: float) -> None:
        """A task: ready is what ended with 0."""
        clock = asyncio.get_running_loop().time
        started = clock()
        child = self._child = await self._spawn(self.service.command)
        cancelled = asyncio.ensure_future(self._ground.cancellation.wait())
        ended = child.ended()
        try:
            waits: set[asyncio.Future[Any]] = {ended, cancelled}  # Any: of different results.
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                why = (
                    "was cut short by the end of the run"
                    if cancelled.done()
                    else f"took more than {seconds:g} s"
                )
                await self._end(child)
                await self._fail(why, hint="look at its log, or give it more time: `timeout: …`")
            if ended.result().exit_status != 0:
                await self._fail(_ending(ended.result(), self.service), hint=f"its log: {self.log_name}")
        finally:
            cancelled.cancel()
            ended.cancel()
        await self._emit(ServiceReady(service=self.label, duration=clock() - started))
        await self._emit(ServiceStopped(service=self.label, exit_status=0))

    async def _bring_up(self) -> None:
        """Ready on return. Raises InfrastructureError, once everybody knows why; but nobody is told of a cancelled one."""
        try:
            await self._get_ready()
        except InfrastructureError as error:
            if not (self.failure or self._stopping or self._ground.cancellation.why):
                await self._tell_failure(error.message)
            raise

    async def _get_ready(self) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        if not self.service.external:
            await self._refuse_a_taken_port()
            self._since = size_of(self.log)
            if self._composed:
                self._argv = await self._composed.up()
            self._child = await self._spawn(self._argv)
            if self._stopping:
                await self._end(self._child)
        child = self._child
        outcome = await readiness.wait_until_ready(
            self.service.ready, self._asker(), child=child, cancellation=self._ground.cancellation
        )
        match outcome:
            case readiness.Ready():
                await self._refuse_a_stranger()
                if self._composed:
                    await self._composed.ready()
            case readiness.Ended() if child:
                await self._report_early_end(await child.ended())
            case readiness.Silent(seconds=seconds, answer=answer):
                failed = await self._composed.failed() if self._composed else None
                also = f"{failed}; " if failed else ""
                await self._fail(
                    f"not ready after {seconds:g} s; {also}the last answer was: {answer}",
                    hint="look at its log, or give it more time: `ready: {timeout: …}`",
                )
            case _:
                raise InfrastructureError(f"the run was cancelled before service {self.label!r} was ready")
        await self._emit(ServiceReady(service=self.label, duration=clock() - started))

    async def _spawn(self, argv: tuple[str, ...], *, output: Path | None = None) -> Child:
        return await self._ground.supervisor.start(
            argv, cwd=Path(self.service.cwd), env=self._env, output=output or self.log, times=output is None
        )

    def _asker(self) -> Asker:
        return Asker(
            supervisor=self._ground.supervisor,
            cwd=Path(self.service.cwd),
            env=self._env,
            log=self.log,
            since=self._since,
        )

    def _places(self) -> list[tuple[str, int]]:
        return own_endpoints(self.service.ready)

    async def _refuse_a_taken_port(self) -> None:
        for host, port in self._places():
            if await taken((host, port)):
                await self._fail(
                    f"port {port} of {host} is already in use, so the tests would talk to a stranger",
                    hint="stop what listens there, give the service another port (`${port}` finds a free one), "
                    "or use --no-services if that is the service",
                )

    async def _refuse_a_stranger(self) -> None:
        """Who answers must be ours: somebody may have taken the port after we looked."""
        tender = self._child.tender if self._child else None
        if tender is None or self.service.compose:
            return
        for host, port in self._places():
            if is_local(host) and (pid := await asyncio.to_thread(stranger_on, port, below=tender)):
                await self._fail(
                    f"on port {port} of {host} process {pid} answers, which is not the service's",
                    hint=f"stop that process, or give the service another port: {self.log_name} may say more",
                )

    async def _report_early_end(self, ended: Ended) -> None:
        if self._stopping:
            raise InfrastructureError(f"service {self.label!r} was stopped before it was ready")
        if ended.start_error:
            await self._fail(
                f"could not be started: {ended.start_error}",
                hint=f"command: {' '.join(self._argv)} (in {self.service.cwd})",
            )
        how = await self._how_it_ended(ended.exit_status)
        await self._fail(f"{how} before it was ready", hint=f"its log: {self.log_name}")

    async def _how_it_ended(self, status: int | None) -> str:
        """Compose programs do not all end as their containers did."""
        failed = await self._composed.failed() if self._composed else None
        return failed or f"ended with {_status(status)}"

    async def _stand_by(self, child: Child | None) -> None:
        """Waits for an end that nobody asked for; starts it again as often as that is allowed."""
        while child:
            status = await child.exited()
            if self._stopping:
                break
            message = self._unwell or f"{await self._how_it_ended(status)} while tests were running"
            self._unwell = None
            self._settled.clear()
            self.lost.set_result(message)
            await child.ended()
            try:
                child = await self._start_again(message)
            finally:
                self._settled.set()
        ended = await child.ended() if child else Ended(exit_status=status)
        await self._emit(ServiceStopped(service=self.label, exit_status=ended.exit_status))

    async def _start_again(self, message: str) -> Child | None:
        """The new process; None if there is none, and ``failure`` says why."""
        if self._restarts >= self.service.restarts or self._ground.cancellation.why:
            await self._tell_failure(message)
            return None
        self._restarts += 1
        await self._emit(
            ServiceRestarting(
                service=self.label,
                message=message,
                number=self._restarts,
                limit=self.service.restarts,
                tail=tail_of(self.log),
                log=self.log_name,
            )
        )
        await self._remove_containers()
        try:
            await self._bring_up()
        except InfrastructureError as error:
            if not self._stopping:
                self.failure = self.failure or error.message
            if self._child and self._child.alive:
                await self._end(self._child)
            return None
        self.lost = asyncio.get_running_loop().create_future()
        return self._child

    async def _end(self, child: Child) -> None:
        stop = self.service.stop
        grace = Grace(interrupt=stop.grace, terminate=1.0)
        if self._ground.cancellation.why:
            grace = min(grace, _HURRIED, key=lambda one: one.total)
        if child.alive:
            await self._stop_containers(child, grace)
        if child.alive:
            first = signal.SIGTERM if self._composed else signal.Signals[stop.signal]
            await end(child, grace=grace, first=first)
        await child.ended()

    async def _stop_containers(self, child: Child, grace: Grace) -> None:
        """Before the program in the foreground is asked to end, so that their last words are in the log, too.

        podman-compose would leave them running, and what watches over each of them would be killed as its remains.
        """
        argv = self._composed.stop(grace=grace.interrupt) if self._composed else None
        if argv is None:
            return
        # A log of its own: what the program says about each step would push the last words out of sight.
        stopping = await self._spawn(argv, output=self.log.with_name(f"{self.log.name}.stop"))
        hurried = bool(self._ground.cancellation.why)
        await _wait(stopping, seconds=_HURRIED_STOP_SECONDS if hurried else _STOP_SECONDS)
        if stopping.alive:
            stopping.kill()
        await stopping.ended()
        await _wait(child, seconds=grace.terminate if hurried else _LAST_WORDS_SECONDS)

    async def _remove_containers(self) -> None:
        """Containers belong to their engine, not to us: it has to be asked."""
        if self._composed and (complaint := await self._composed.remove()):
            message = f"service {self.label} may have left containers, networks or volumes: {complaint}"
            await self._emit(Warned(message=f"{message}; `e2e-orchestrate clean` tries again"))

    async def _fail(self, message: str, *, hint: str) -> None:
        await self._tell_failure(message)
        raise InfrastructureError(f"service {self.label!r}: {message}", hint=hint)

    async def _tell_failure(self, message: str) -> None:
        self.failure = message
        await self._emit(
            ServiceFailed(
                service=self.label,
                message=message,
                tail=tail_of(self.log),
                log=self.log_name if self.log.exists() else None,
            )
        )


async def _wait(child: Child, *, seconds: float) -> None:
    """For the end of a child and of all below it, no longer than this."""
    await asyncio.wait([child.ended()], timeout=seconds)


def _ending(ended: Ended, service: PlannedService) -> str:
    if ended.start_error:
        return f"could not be started: {ended.start_error} (command: {' '.join(service.command)})"
    return f"ended with {_status(ended.exit_status)}: a task has to end with 0"


def _status(status: int | None) -> str:
    if status is None:
        return "an unknown status"
    return f"signal {-status}" if status < 0 else f"exit status {status}"

"""Services that are processes of this machine: a command, a log, a probe, an orderly end."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.events import ServiceFailed, ServiceReady, ServiceStarted, ServiceStopped
from e2e_orchestrator.model.names import file_name
from e2e_orchestrator.model.plan import PlannedService
from e2e_orchestrator.process.ending import Grace, end
from e2e_orchestrator.process.output import tail_of
from e2e_orchestrator.process.supervisor import Child, Supervisor
from e2e_orchestrator.protocols import Cancellation, Emit
from e2e_orchestrator.services import probes

_HURRIED = Grace(interrupt=1.0, terminate=0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessServices:
    """A resource: every service ready on entering, none left on leaving.

    ``logs`` is the folder for their output, below ``output``. Entering raises InfrastructureError when a
    service does not become ready, after stopping those that were.
    """

    services: Sequence[PlannedService]
    supervisor: Supervisor
    environ: Mapping[str, str]
    logs: Path
    output: Path
    cancellation: Cancellation

    @asynccontextmanager
    async def provide(self, *, emit: Emit) -> AsyncIterator[Mapping[str, str]]:
        async with AsyncExitStack() as running:
            for service in self.services:
                await running.enter_async_context(_Running(self, service, emit).up())
            yield {}


class _Running:
    """One service from its start to its end."""

    def __init__(self, owner: ProcessServices, service: PlannedService, emit: Emit) -> None:
        self._owner, self._service, self._emit = owner, service, emit
        self._log = owner.logs / f"{file_name(service.name)}.log"
        self._log_name = self._log.relative_to(owner.output).as_posix()
        self._stopping = False

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        await self._refuse_a_taken_port()
        child = await self._start()
        watch: asyncio.Task[None] | None = None
        try:
            await self._wait_until_ready(child)
            watch = asyncio.create_task(self._watch(child))
            yield
        finally:
            self._stopping = True
            await self._stop(child)
            if watch:
                await watch

    async def _refuse_a_taken_port(self) -> None:
        probe = self._service.ready
        if probe and await probes.taken(probe):
            host, port = probes.endpoint(probe) or ("", 0)
            await self._fail(
                f"port {port} of {host} is already in use, so the tests would talk to a stranger",
                hint="stop what listens there, give the service another port, "
                "or use --no-services if that is the service",
            )

    async def _start(self) -> Child:
        self._owner.logs.mkdir(parents=True, exist_ok=True)
        await self._emit(ServiceStarted(service=self._service.name, log=self._log_name))
        return await self._owner.supervisor.start(
            self._service.command,
            cwd=Path(self._service.cwd),
            env={**self._owner.environ, **self._service.env},
            output=self._log,
        )

    async def _wait_until_ready(self, child: Child) -> None:
        """Readiness races the process' own end, the time limit and the end of the run."""
        clock = asyncio.get_running_loop().time
        started = clock()
        exited = asyncio.ensure_future(child.exited())
        cancelled = asyncio.ensure_future(self._owner.cancellation.wait())
        probing = asyncio.ensure_future(self._probe())
        try:
            timeout = self._service.ready.timeout if self._service.ready else None
            await asyncio.wait(
                {exited, cancelled, probing}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if exited.done():
                await self._report_early_end(child)
            elif cancelled.done():
                raise InfrastructureError(
                    f"the run was cancelled before service {self._service.name!r} was ready"
                )
            elif not probing.done():
                await self._fail(
                    f"not ready after {timeout:g} s; the last answer was: {self._answer}",
                    hint="look at its log, or give it more time: `ready: {timeout: …}`",
                )
        finally:
            for future in (exited, cancelled, probing):
                future.cancel()
        await self._emit(ServiceReady(service=self._service.name, duration=clock() - started))

    async def _probe(self) -> None:
        """Returns when the probe is content; keeps the last answer for the error message."""
        self._answer: str | None = "none yet"
        probe = self._service.ready
        if probe is None:
            return
        while (answer := await probes.ask(probe)) is not None:
            self._answer = answer
            await asyncio.sleep(probe.interval)

    async def _report_early_end(self, child: Child) -> None:
        ended = await child.ended()
        if ended.start_error:
            await self._fail(
                f"could not be started: {ended.start_error}",
                hint=f"command: {' '.join(self._service.command)} (in {self._service.cwd})",
            )
        await self._fail(
            f"ended with {_status(ended.exit_status)} before it was ready", hint=f"its log: {self._log_name}"
        )

    async def _watch(self, child: Child) -> None:
        """Says so when a service ends that nobody stopped."""
        status = await child.exited()
        if not self._stopping:
            await self._tell_failure(f"ended with {_status(status)} while tests were running")
        await self._emit(ServiceStopped(service=self._service.name, exit_status=status))

    async def _stop(self, child: Child) -> None:
        grace = Grace(interrupt=self._service.stop_grace, terminate=1.0)
        if self._owner.cancellation.why:
            grace = min(grace, _HURRIED, key=lambda one: one.total)
        if child.alive:
            await end(child, grace=grace)
        await child.ended()

    async def _fail(self, message: str, *, hint: str) -> None:
        await self._tell_failure(message)
        raise InfrastructureError(f"service {self._service.name!r}: {message}", hint=hint)

    async def _tell_failure(self, message: str) -> None:
        await self._emit(
            ServiceFailed(
                service=self._service.name,
                message=message,
                tail=tail_of(self._log),
                log=self._log_name if self._log.exists() else None,
            )
        )


def _status(status: int | None) -> str:
    if status is None:
        return "an unknown status"
    return f"signal {-status}" if status < 0 else f"exit status {status}"

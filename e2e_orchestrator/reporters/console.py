"""The run on a terminal or in a log: what happens while it happens, and go or no go at the end."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TextIO

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model import events
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.storing import ArtifactsAwaited
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters import console_events as say
from e2e_orchestrator.reporters.console_line import Line, line
from e2e_orchestrator.reporters.console_running import heartbeat, running_area
from e2e_orchestrator.reporters.console_screen import PlainScreen, Screen, abilities
from e2e_orchestrator.reporters.console_summary import summary, verdict

HEARTBEAT = "E2E_ORCHESTRATE_HEARTBEAT"
_HEARTBEAT_SECONDS = 60.0
_REFRESH_SECONDS = 0.2


class ConsoleReporter:
    """Repaints what is running on a terminal that somebody watches; elsewhere it only adds whole lines.

    ``verbosity`` -1 shows failures and the last sentence, 1 every case.
    """

    closes_last = True

    def __init__(
        self,
        context: ReporterContext,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._context = context
        self._stream = sys.stdout if stream is None else stream
        self._clock, self._sleep = clock, sleep
        self._heartbeat = _heartbeat_seconds(context.environ.get(HEARTBEAT, "")) if context.live else 0.0
        self._run = RunState()
        self._heard: float | None = None
        self._done = 0
        self._width = 0
        self._services: list[events.ServiceFailed] = []
        self._header: str | None = None
        self._seen_cases: dict[str, set[str]] = {}
        self._timer: asyncio.Task[None] | None = None
        self._closed = False
        able = abilities(self._stream, color=context.color, environ=context.environ)
        self._live = able.live and context.live and not self._quiet
        self._screen = self._make_screen(color=able.color)

    @property
    def _quiet(self) -> bool:
        return self._context.verbosity < 0

    @property
    def _verbose(self) -> bool:
        return self._context.verbosity > 0

    @property
    def _now(self) -> float:
        """Seconds of the run: the last event's, and what has passed since."""
        since = 0.0 if self._heard is None else self._clock() - self._heard
        return self._run.mono + since

    async def handle(self, envelope: Envelope) -> None:
        """Raises OSError or ValueError if nobody reads the stream any more."""
        self._heard = self._clock()
        self._run.apply(envelope)
        self._start_timer()
        self._put(self._lines(envelope.event))

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._stop_timer()
        finally:
            self._screen.close()
            self._put(self._ending())

    def _ending(self) -> list[Line]:
        if self._heard is None:
            return []
        if self._quiet:
            return [verdict(self._run)]
        context = self._context
        told = summary(
            self._run,
            services=self._services,
            output=context.output,
            run_folder=context.run_folder,
            verbose=self._verbose,
        )
        return [*told, line(), verdict(self._run)]

    def _lines(self, event: events.Event) -> list[Line]:
        """What is told however little is wanted, and the rest unless little is wanted."""
        match event:
            case events.TestFinished(test=test_id):
                return self._test_finished(test_id)
            case events.TestCarriedOver():
                self._done += 1
                return []
            case events.ServiceFailed():
                self._services.append(event)
                return say.service_failed(event, output=self._context.output)
            case _:
                return [] if self._quiet else self._usual_lines(event)

    def _usual_lines(self, event: events.Event) -> list[Line]:  # noqa: C901, PLR0911, PLR0912 - one arm for each event.
        match event:
            case events.RunStarted():
                self._width = say.name_width(self._run, columns=self._screen.columns)
                return say.opening(event)
            case events.ServiceReady():
                return [say.service_ready(event)]
            case events.LeaseReleased(message=str()):
                return [say.lease_not_released(event)]
            case events.ServiceRestarting():
                return [say.service_restarting(event)]
            case events.PhaseStarted(phase=name):
                self._header = name
                return say.phase_header(self._run.phase(name))
            case events.RetryScheduled(test=test_id):
                return [say.retry(self._run.test(test_id), event=event)]
            case events.TestSlow(test=test_id, elapsed=elapsed):
                return [say.slow(self._run.test(test_id), elapsed=elapsed)]
            case events.StatusRequested():
                return [heartbeat(self._run, now=self._now)]
            case ArtifactsAwaited():
                return [say.artifacts_awaited(event)]
            case events.AttemptFinished(test=test_id, attempt=attempt) if attempt.leaked:
                return say.leaks(test_id, attempt.leaked)
            case events.GateEvaluated() if not event.holds:
                return [say.gate(event)]
            case events.CancelRequested(why=why):
                self._screen.release()
                return [say.notice(f"ending the run: {why}")]
            case events.Warned(message=message):
                return [say.notice(message)]
            case events.ReporterFailed(reporter=name, message=message):
                return [say.notice(f"reporter {name} failed: {message}")]
            case events.RunFinished():
                self._screen.close()
                return []
            case _:
                return self._verbose_lines(event) if self._verbose else []

    def _test_finished(self, test_id: str) -> list[Line]:
        self._done += 1
        test = self._run.test(test_id)
        if self._quiet and not test.verdict.failed:
            return []
        lines = self._apart(test.test.phase)
        lines.append(say.finished_test(test, run=self._run, done=self._done, width=self._width))
        if say.is_interesting(test):
            lines += say.failure(test, run=self._run, output=self._context.output)
        return lines

    def _apart(self, phase: str) -> list[Line]:
        """An empty line before the first test of a phase that never started, and so has no header."""
        left = self._header is not None and self._run.phase(phase).started is None
        self._header = self._header if not left else None
        return [line()] if left and not self._quiet else []

    def _verbose_lines(self, event: events.Event) -> list[Line]:
        """Each case once: as it happens, or with its attempt if the child did not tell before."""
        match event:
            case events.StartChosen() as chosen:
                return [say.start_chosen(chosen)]
            case events.LeaseAcquired() as acquired:
                return [say.lease_acquired(acquired)]
            case events.AttemptStarted(test=test_id):
                self._seen_cases[test_id] = set()
            case events.CaseFinished(test=test_id, case=case):
                self._seen_cases.setdefault(test_id, set()).add(case.id)
                return [say.case_line(test_id, case)]
            case events.AttemptFinished(test=test_id, attempt=attempt):
                seen = self._seen_cases.pop(test_id, set())
                return [say.case_line(test_id, case) for case in attempt.cases if case.id not in seen]
            case _:
                pass
        return []

    def _put(self, lines: list[Line]) -> None:
        if lines:
            self._screen.put(lines)

    def _make_screen(self, *, color: bool) -> Screen:
        if not self._live:
            return PlainScreen(self._stream, color=color)
        # rich takes 40 ms to load, which pipes and CI servers need not pay.
        from e2e_orchestrator.reporters.console_live import LiveScreen  # noqa: PLC0415

        return LiveScreen(self._stream, color=color, environ=self._context.environ)

    def _start_timer(self) -> None:
        if self._timer is None and not self._quiet and (self._live or self._heartbeat):
            self._timer = asyncio.get_running_loop().create_task(self._tick())

    async def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            with suppress(asyncio.CancelledError):
                await self._timer

    async def _tick(self) -> None:
        """Repaints or beats until the run is over, or nobody reads any more: the next line will say so."""
        with suppress(OSError, ValueError):
            while True:
                await self._sleep(_REFRESH_SECONDS if self._live else self._heartbeat)
                if self._run.finished is not None:
                    return
                if self._live:
                    columns = self._screen.columns
                    self._screen.refresh(running_area(self._run, now=self._now, columns=columns))
                else:
                    self._screen.put([heartbeat(self._run, now=self._now)])


def _heartbeat_seconds(text: str) -> float:
    """Seconds between two heartbeats, 0 for none."""
    try:
        seconds = float(text or _HEARTBEAT_SECONDS)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(
            f"{HEARTBEAT}={text}: not a number of seconds",
            hint=f"write {HEARTBEAT}=60, or {HEARTBEAT}=0 for no heartbeat",
        )
    return seconds

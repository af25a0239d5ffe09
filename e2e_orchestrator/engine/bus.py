"""The event bus: numbers, times and redacts every event, then journal first, then each reporter.

A slow reporter makes the run wait, up to a limit. A broken one is dropped and named. Neither changes
what the others see, or the verdict.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from e2e_orchestrator.clock import Clock
from e2e_orchestrator.model.events import Envelope, Event, ReporterFailed
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import Reporter

_QUEUE = 1000
_PATIENCE = 30.0
_HURRIED_SECONDS = 1.0
_STUBBORN_SECONDS = 0.5

Data = TypeVar("Data")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A patience that several waits share, and that shrinks when somebody is in a hurry."""

    until: float
    hurry: asyncio.Event

    async def wait(self, futures: Sequence[asyncio.Future[Any]], *, clock: Clock) -> None:
        if not futures:
            return
        pending = asyncio.ensure_future(asyncio.wait(futures))
        hurried = asyncio.ensure_future(self.hurry.wait())
        left = max(0.0, self.until - clock.monotonic())
        try:
            await asyncio.wait({pending, hurried}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if hurried.done():
                await asyncio.wait({pending}, timeout=min(left, _HURRIED_SECONDS))
        finally:
            pending.cancel()
            hurried.cancel()


@dataclass(eq=False, slots=True, kw_only=True)
class _Subscription:
    name: str
    reporter: Reporter
    queue: asyncio.Queue[Envelope | None] = field(default_factory=lambda: asyncio.Queue(maxsize=_QUEUE))
    task: asyncio.Task[None] | None = None
    error: str | None = None

    def drop(self, error: str) -> None:
        """A dead reporter with a full queue would stop the world: it takes nothing more."""
        self.error = self.error or error
        while not self.queue.empty():
            self.queue.get_nowait()
            self.queue.task_done()


class EventBus:
    """``append`` writes to the journal; ``redact`` masks secrets; ``state`` is the fold of all events so far."""

    def __init__(
        self,
        *,
        append: Callable[[Envelope], None],
        redact: Callable[[Event], Event],
        clock: Clock,
        patience: float = _PATIENCE,
    ) -> None:
        self.state = RunState()
        self.journal_error: str | None = None
        self._append, self._redact, self._clock = append, redact, clock
        self._patience = patience
        self._subscriptions: list[_Subscription] = []
        self._left: list[_Subscription] = []
        self._lock = asyncio.Lock()
        self._seq = 0
        self._start = clock.monotonic()

    @property
    def broken(self) -> dict[str, str]:
        """The reporters that were dropped, with what went wrong."""
        return {one.name: one.error for one in (*self._subscriptions, *self._left) if one.error}

    def subscribe(self, name: str, reporter: Reporter) -> None:
        subscription = _Subscription(name=name, reporter=reporter)
        subscription.task = asyncio.create_task(self._serve(subscription), name=f"reporter {name}")
        self._subscriptions.append(subscription)

    async def publish(self, event: Event) -> None:
        """Returns when the journal has the event and every live reporter has it in its queue."""
        async with self._lock:
            self._seq += 1
            envelope = Envelope(
                seq=self._seq,
                at=self._clock.now(),
                mono=round(self._clock.monotonic() - self._start, 6),
                event=self._redact(event),
            )
            self._write(envelope)
            self.state.apply(envelope)
            await self._hand_out(envelope)

    async def close(
        self,
        *,
        patience: float,
        names: Collection[str] | None = None,
        hurry: asyncio.Event | None = None,
    ) -> None:
        """Lets these reporters (default: all) finish, for at most ``patience`` seconds altogether.

        Once ``hurry`` is set they have a second left.
        """
        leaving = [one for one in self._subscriptions if names is None or one.name in names]
        waiting = _Waiting(until=self._clock.monotonic() + patience, hurry=hurry or asyncio.Event())
        # First everything that was said, including who broke while hearing it; then the end.
        joined = [asyncio.ensure_future(one.queue.join()) for one in self._subscriptions if not one.error]
        await waiting.wait(joined, clock=self._clock)
        for future in joined:
            future.cancel()
        self._subscriptions = [one for one in self._subscriptions if one not in leaving]
        self._left += leaving
        for subscription in leaving:
            if not subscription.queue.full():
                subscription.queue.put_nowait(None)
        await waiting.wait([one.task for one in leaving if one.task], clock=self._clock)
        for subscription in leaving:
            if subscription.task and not subscription.task.done():
                subscription.task.cancel()
                await asyncio.wait({subscription.task}, timeout=_STUBBORN_SECONDS)
                await self._fail(subscription, "did not finish in time")

    def _write(self, envelope: Envelope) -> None:
        if self.journal_error is None:
            try:
                self._append(envelope)
            except OSError as error:
                self.journal_error = f"the journal cannot be written: {error}"

    async def _hand_out(self, envelope: Envelope) -> None:
        """To each as soon as it has room: a publisher that is cancelled over a full queue costs nobody else."""
        listening = [one for one in self._subscriptions if not one.error]
        full = [one for one in listening if one.queue.full()]
        for subscription in listening:
            if subscription not in full:
                subscription.queue.put_nowait(envelope)
        if full:
            await asyncio.gather(*(self._put(one, envelope) for one in full))

    async def _put(self, subscription: _Subscription, envelope: Envelope) -> None:
        try:
            # Not wait_for: in Python 3.11 a cancellation is lost in it if the queue gets room at that moment.
            async with asyncio.timeout(self._patience):
                await subscription.queue.put(envelope)
        except TimeoutError:
            subscription.drop(f"took nothing for {self._patience:g} s")

    async def _serve(self, subscription: _Subscription) -> None:
        """One reporter's own loop; whatever it raises is its own end, not the run's."""
        try:
            while (envelope := await subscription.queue.get()) is not None:
                await subscription.reporter.handle(envelope)
                subscription.queue.task_done()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - no plug-in is trusted.
            await self._fail(subscription, _describe(error))
            subscription.queue.task_done()
        try:
            await subscription.reporter.close()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - no plug-in is trusted.
            await self._fail(subscription, _describe(error))

    async def _fail(self, subscription: _Subscription, message: str) -> None:
        if subscription.error is None:
            subscription.drop(message)
            await self.publish(ReporterFailed(reporter=subscription.name, message=message))


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

"""The wish to end a run: where it comes from, how urgent it is; it is never taken back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from e2e_orchestrator.model.events import CancelRequested, Event, StatusRequested

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_DEBOUNCE_SECONDS = 0.5
_SECOND = 2


class CancelToken:
    """Shared by the engine, which stops starting, and the executor, which ends what runs.

    ``pressed`` is set once somebody outside wants the whole program to end, and soon.
    """

    def __init__(self) -> None:
        self.pressed = asyncio.Event()
        self._why: str | None = None
        self._asked = asyncio.Event()
        self._urgent = asyncio.Event()

    @property
    def why(self) -> str | None:
        return self._why

    @property
    def kill(self) -> bool:
        return self._urgent.is_set()

    def request(self, why: str) -> None:
        """The first wish names the reason; later ones change nothing."""
        self._why = self._why or why
        self._asked.set()

    def hurry(self) -> None:
        """No more grace for what still runs."""
        self._urgent.set()

    async def wait(self, *, kill: bool = False) -> None:
        await (self._urgent if kill else self._asked).wait()


class _Signals:
    """What the signals ask for, the more of them the more urgently; whoever listens is told."""

    def __init__(self, token: CancelToken, *, tell: Callable[[Event], Awaitable[None]]) -> None:
        self._token = token
        self._tell = tell
        self._telling: set[asyncio.Task[None]] = set()
        self._last = 0.0
        self._count = 0

    def end(self, signum: signal.Signals) -> None:
        now = time.monotonic()
        if now - self._last < _DEBOUNCE_SECONDS:  # Package managers relay the same Ctrl-C a second time.
            return
        self._last, self._count = now, self._count + 1
        self._token.pressed.set()
        self._token.request(signum.name)
        if self._count == _SECOND:
            self._token.hurry()
        elif self._count > _SECOND:
            os._exit(128 + signum)
        self.say(CancelRequested(why=signum.name, kill=self._count > 1))

    def say(self, event: Event) -> None:
        task = asyncio.get_running_loop().create_task(_told(self._tell, event))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def hush(self) -> None:
        for task in self._telling:
            task.cancel()


@asynccontextmanager
async def heed_signals(
    token: CancelToken, *, tell: Callable[[Event], Awaitable[None]]
) -> AsyncIterator[None]:
    """First signal: ask everything to end. Second: kill. Third: leave; the keeper ends what is left.

    SIGUSR1 asks what is running. SIGHUP stays ignored where it was, as under nohup.
    """
    loop = asyncio.get_running_loop()
    signals = _Signals(token, tell=tell)
    heeded = [
        one for one in _SIGNALS if one is not signal.SIGHUP or signal.getsignal(one) is not signal.SIG_IGN
    ]
    for one in heeded:
        loop.add_signal_handler(one, signals.end, one)
    loop.add_signal_handler(signal.SIGUSR1, signals.say, StatusRequested())
    try:
        yield
    finally:
        signals.hush()
        for one in (*heeded, signal.SIGUSR1):
            loop.remove_signal_handler(one)


async def _told(tell: Callable[[Event], Awaitable[None]], event: Event) -> None:
    await tell(event)

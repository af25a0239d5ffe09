"""One JSON message to an address that is a secret: tried again while that helps, never said aloud."""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import assert_never
from urllib.parse import urlsplit

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.reporters.text import one_line

_TOO_MANY, _SERVER_ERROR = 429, 500
_GOOD = range(200, 300)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_HURRY = 3.0  # An interrupted run has seven seconds to end, and this is not the only one to be told.


@dataclass(frozen=True, slots=True)
class Accepted:
    pass


@dataclass(frozen=True, slots=True)
class Refused:
    """Trying again would not help."""

    why: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Worth another try, after as many seconds as the server asks for, if it does."""

    why: str
    wait: float | None = None


Answer = Accepted | Refused | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """``who`` answers at ``url``; ``good`` are the statuses that mean yes, ``deadline`` is in seconds."""

    who: str
    url: str
    good: range = _GOOD
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline: float = 20.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def send(self, body: bytes, *, hurried: bool = False) -> str | None:
        """Tries until it is accepted, refused, or too late; why it was not delivered, without the address."""
        end = self.clock() + (min(self.deadline, _HURRY) if hurried else self.deadline)
        pause = _FIRST_PAUSE
        while True:
            match await self._try(body, seconds=max(end - self.clock(), 0.1)):
                case Accepted():
                    return None
                case Refused(why=why):
                    return why
                case Unavailable(why=why, wait=wait):
                    wanted = pause if wait is None else wait
                    if self.clock() + wanted >= end:
                        asked = "" if wait is None else f", and {self.who} asks to wait {wait:g}s"
                        return f"{why}{asked}; gave up"
                    await self.sleep(wanted)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                case answer:
                    assert_never(answer)

    async def _try(self, body: bytes, *, seconds: float) -> Answer:
        # httpx takes 110 ms to load, which only a run that posts has to pay.
        import httpx  # noqa: PLC0415

        headers = {"Content-Type": "application/json; charset=utf-8", **self.headers}
        try:
            with _silent("httpx", "httpcore"):
                client = httpx.AsyncClient(timeout=seconds, verify=_trust())
                async with asyncio.timeout(seconds), client:
                    response = await client.post(self.url, content=body, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            return Unavailable(self._scrubbed(error))
        except Exception as error:  # noqa: BLE001 - an unusable proxy, and its text may hold an address.
            return Refused(f"{type(error).__name__}: check HTTPS_PROXY and ALL_PROXY")
        return self._answer(response.status_code, response.text, response.headers.get("Retry-After"))

    def _answer(self, status: int, text: str, retry_after: str | None) -> Answer:
        if status in self.good:
            return Accepted()
        said = f"{self.who} answered {status} {self._without_address(one_line(text))}".rstrip()
        if status == _TOO_MANY:
            return Unavailable(said, wait=_seconds(retry_after))
        return Unavailable(said) if status >= _SERVER_ERROR else Refused(said)

    def _scrubbed(self, error: Exception) -> str:
        """What went wrong; httpx puts the address into some of its messages, and the address is a secret."""
        said = self._without_address(one_line(str(error)))
        return f"{type(error).__name__}: {said}" if said else type(error).__name__

    def _without_address(self, text: str) -> str:
        parts = urlsplit(self.url)
        secrets = [self.url, f"{parts.path}?{parts.query}", parts.path, *parts.path.split("/")]
        for secret in sorted(filter(None, [*secrets, parts.query]), key=len, reverse=True):
            if len(secret) > 3:  # noqa: PLR2004 - shorter ones are words like "v1", and no secrets.
                text = text.replace(secret, "…")
        return text


def checked_address(url: str, *, name: str, like: str) -> str:
    """Raises UsageError, which names the variable and not its value, for what is no web address."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("https", "http") and bool(parts.hostname) and url.isprintable()
        valid = valid and parts.port != 0  # Reading a port that is none raises.
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(f"{name} is not a web address", hint=f"it should look like {like}")
    return url


def is_hurried(run: RunState) -> bool:
    """Somebody ended the run and waits for it to be over."""
    return run.finished is not None and run.finished.exit_code in (130, 143)


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else None


@cache
def _trust() -> ssl.SSLContext:
    """The certificates to believe; once, because reading them takes longer than a post."""
    import httpx  # noqa: PLC0415 - see above.

    return httpx.create_ssl_context()


@contextmanager
def _silent(*names: str) -> Iterator[None]:
    """No log of a request: httpx writes down its address, which here is a secret."""
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled

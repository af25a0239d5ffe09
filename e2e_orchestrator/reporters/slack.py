"""One message to a Slack channel at the end of a run, through an incoming webhook."""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import assert_never
from urllib.parse import urlsplit

from e2e_orchestrator.errors import InfrastructureError, UsageError
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.slack_message import message
from e2e_orchestrator.reporters.text import one_line

WEBHOOKS = ("E2E_ORCHESTRATE_SLACK_WEBHOOK", "SLACK_WEBHOOK")

_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_HURRY = 3.0  # An interrupted run has seven seconds to end, and Slack is not the only one to be told.


@dataclass(frozen=True, slots=True)
class Accepted:
    pass


@dataclass(frozen=True, slots=True)
class Refused:
    """Trying again would not help."""

    why: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Worth another try, after as many seconds as Slack asks for, if it does."""

    why: str
    wait: float | None = None


Answer = Accepted | Refused | Unavailable


class SlackReporter:
    """Posts once, in ``close``; a post that fails raises InfrastructureError, never with the webhook in it."""

    def __init__(
        self,
        context: ReporterContext,
        *,
        deadline: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._webhook = _webhook(context)
        self._environ = context.environ
        self._deadline = deadline
        self._clock, self._sleep = clock, sleep
        self._run = RunState()
        self._seen = False
        self._closed = False

    async def handle(self, envelope: Envelope) -> None:
        self._run.apply(envelope)
        self._seen = True

    async def close(self) -> None:
        if self._closed or not self._seen:
            return
        self._closed = True
        failure = await self._post(message(self._run, environ=self._environ))
        if failure is not None:
            raise InfrastructureError(f"the message to Slack was not delivered: {failure}")

    async def _post(self, body: bytes) -> str | None:
        """Tries until it is accepted, refused, or too late; why it was not delivered."""
        hurried = self._run.finished is not None and self._run.finished.exit_code in (130, 143)
        end = self._clock() + (min(self._deadline, _HURRY) if hurried else self._deadline)
        pause = _FIRST_PAUSE
        while True:
            match await self._try(body, seconds=max(end - self._clock(), 0.1)):
                case Accepted():
                    return None
                case Refused(why=why):
                    return why
                case Unavailable(why=why, wait=wait):
                    wanted = pause if wait is None else wait
                    if self._clock() + wanted >= end:
                        asked = "" if wait is None else f", and Slack asks to wait {wait:g}s"
                        return f"{why}{asked}; gave up"
                    await self._sleep(wanted)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                case answer:
                    assert_never(answer)

    async def _try(self, body: bytes, *, seconds: float) -> Answer:
        # httpx takes 110 ms to load, which only a run that posts has to pay.
        import httpx  # noqa: PLC0415

        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            with _silent("httpx", "httpcore"):
                client = httpx.AsyncClient(timeout=seconds, verify=_trust())
                async with asyncio.timeout(seconds), client:
                    response = await client.post(self._webhook, content=body, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            return Unavailable(self._scrubbed(error))
        except Exception as error:  # noqa: BLE001 - an unusable proxy, and its text may hold an address.
            return Refused(f"{type(error).__name__}: check HTTPS_PROXY and ALL_PROXY")
        return self._answer(response.status_code, response.text, response.headers.get("Retry-After"))

    def _answer(self, status: int, text: str, retry_after: str | None) -> Answer:
        if status == _OK:
            return Accepted()
        said = f"Slack answered {status} {self._without_webhook(one_line(text))}".rstrip()
        if status == _TOO_MANY:
            return Unavailable(said, wait=_seconds(retry_after))
        return Unavailable(said) if status >= _SERVER_ERROR else Refused(said)

    def _scrubbed(self, error: Exception) -> str:
        """What went wrong; httpx puts the address into some of its messages, and the address is a secret."""
        said = self._without_webhook(one_line(str(error)))
        return f"{type(error).__name__}: {said}" if said else type(error).__name__

    def _without_webhook(self, text: str) -> str:
        parts = urlsplit(self._webhook)
        secrets = [self._webhook, f"{parts.path}?{parts.query}", parts.path, *parts.path.split("/")]
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            if len(secret) > 3:  # noqa: PLR2004 - shorter ones are words like "v1", and no secrets.
                text = text.replace(secret, "…")
        return text


def _webhook(context: ReporterContext) -> str:
    for name in WEBHOOKS:
        if url := context.environ.get(name, "").strip():
            return _checked(url, name=name)
    raise UsageError(
        "the slack report needs a webhook",
        hint=f"set SLACK_WEBHOOK (or {WEBHOOKS[0]}) to the address of an incoming webhook: "
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
    )


def _checked(url: str, *, name: str) -> str:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("https", "http") and bool(parts.hostname) and url.isprintable()
        valid = valid and parts.port != 0  # Reading a port that is none raises.
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(
            f"{name} is not a web address",
            hint="it should look like https://hooks.slack.com/services/T…/B…/…",
        )
    return url


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

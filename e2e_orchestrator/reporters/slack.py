"""One message to a Slack channel at the end of a run, through an incoming webhook."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from e2e_orchestrator.errors import InfrastructureError, NowhereToReport
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.occasions import occasions
from e2e_orchestrator.reporters.posting import Post, checked_address, is_hurried
from e2e_orchestrator.reporters.slack_message import message, owners

WEBHOOKS = ("E2E_ORCHESTRATE_SLACK_WEBHOOK", "SLACK_WEBHOOK")
SEND = "E2E_ORCHESTRATE_SLACK_SEND"

_ONLY_OK = range(200, 201)


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
        self._post = Post(
            who="Slack", url=_webhook(context), good=_ONLY_OK, deadline=deadline, clock=clock, sleep=sleep
        )
        self._environ = context.environ
        self._occasions = occasions(context, variable=SEND)
        owners(context.environ)  # Refused now rather than at the end.
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
        if not self._occasions.call_for(self._run):
            return
        body = message(self._run, environ=self._environ, recovered=self._occasions.recovered(self._run))
        failure = await self._post.send(body, hurried=is_hurried(self._run))
        if failure is not None:
            raise InfrastructureError(f"the message to Slack was not delivered: {failure}")


def _webhook(context: ReporterContext) -> str:
    for name in WEBHOOKS:
        if url := context.environ.get(name, "").strip():
            return checked_address(url, name=name, like="https://hooks.slack.com/services/T…/B…/…")
    raise NowhereToReport(
        "the slack report needs a webhook",
        hint=f"set SLACK_WEBHOOK (or {WEBHOOKS[0]}) to the address of an incoming webhook: "
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
    )

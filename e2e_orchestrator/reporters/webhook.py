"""One message to any address at the end of a run: Teams, Discord, Mattermost, or what a template makes of it."""

from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError, NowhereToReport, UsageError
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.protocols import ReporterContext
from e2e_orchestrator.reporters.occasions import occasions
from e2e_orchestrator.reporters.posting import Post, checked_address, is_hurried
from e2e_orchestrator.reporters.webhook_template import TEMPLATES, checked, filled

ADDRESS = "E2E_ORCHESTRATE_WEBHOOK"
TEMPLATE = "E2E_ORCHESTRATE_WEBHOOK_TEMPLATE"
SEND = "E2E_ORCHESTRATE_WEBHOOK_SEND"


class WebhookReporter:
    """``webhook=FILE`` names a template; a post that fails raises InfrastructureError, never with the address."""

    def __init__(self, context: ReporterContext) -> None:
        url = context.environ.get(ADDRESS, "").strip()
        if not url:
            raise NowhereToReport(
                "the webhook report needs an address", hint=f"set {ADDRESS} to where it is to be posted"
            )
        url = checked_address(url, name=ADDRESS, like="https://chat.example.com/hooks/…")
        self._post = Post(who="the webhook", url=url)
        self._template = _template(context)
        self._occasions = occasions(context, variable=SEND)
        self._environ = context.environ
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
        body = filled(self._template, self._run, environ=self._environ)
        failure = await self._post.send(body, hurried=is_hurried(self._run))
        if failure is not None:
            raise InfrastructureError(f"the message was not delivered: {failure}")


def _template(context: ReporterContext) -> str:
    """A file, or the name of one that comes with the program."""
    word = str(context.path) if context.path else context.environ.get(TEMPLATE, "").strip() or "plain"
    if word in TEMPLATES:
        return TEMPLATES[word]
    try:
        return checked(Path(word).read_text(encoding="utf-8"), where=word)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the template {word} cannot be read: {error}",
            hint=f"write a file of JSON, or one of: {', '.join(TEMPLATES)}",
        ) from error

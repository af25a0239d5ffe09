"""The Slack message about a run: Block Kit within its limits, and nothing of a child that Slack would obey."""

import json
import re
from collections.abc import Mapping
from typing import Any

from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import RunState, TestState
from e2e_orchestrator.reporters.ci import Place, place
from e2e_orchestrator.reporters.text import clip, first_line, one_line
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test
from e2e_orchestrator.reporters.wording import duration, last_sentence, outcome

# https://docs.slack.dev/reference/block-kit/blocks; the ceiling of a whole message (about 13,200
# characters) is undocumented: https://github.com/slackapi/bolt-js/issues/2509.
_HEADER, _SECTION, _MESSAGE = 150, 3000, 12_000
_TESTS, _PHASES, _URL = 10, 20, 2900
_MENTION = re.compile(r"@(?=here|channel|everyone)", re.IGNORECASE)
_MARK = {Status.PASSED: "✓", Status.FAILED: "✗"}

Block = dict[str, Any]  # A tree of plain JSON values, as Slack wants it.


def message(run: RunState, *, environ: Mapping[str, str]) -> bytes:
    """The payload as UTF-8 JSON of less than 12,000 characters.

    Error lines get shorter, then fewer, until everything fits.
    """
    for error_limit, tests in ((300, _TESTS), (120, _TESTS), (60, 5), (0, 3), (0, 0)):
        text = json.dumps(_payload(run, environ, error_limit=error_limit, tests=tests), ensure_ascii=False)
        if len(text) < _MESSAGE:
            break
    return text.encode()


def escape(text: str, *, limit: int) -> str:
    """Text of others as mrkdwn that shows it and does nothing: no mentions, links or formatting."""
    shown = _MENTION.sub("@\u2060", one_line(text, limit=limit)).replace("`", "'")
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _payload(run: RunState, environ: Mapping[str, str], *, error_limit: int, tests: int) -> Block:
    sentence = last_sentence(run)
    where = place(environ)
    project = one_line(run.plan.project if run.plan else "", limit=80)
    mark = "✅ GO" if sentence.go else "⛔ NO GO"
    title = f"{mark}: {project}" if project else mark
    said = escape(sentence.text, limit=600)
    texts = [
        f"*{said}*",
        _phases(run),
        _failed(run, error_limit=error_limit, tests=tests),
        _flaky(run, tests=tests),
    ]
    blocks: list[Block] = [_header(title), *(_section(text) for text in texts if text)]
    blocks.append(_context(run, where))
    if where.url and len(where.url) <= _URL:
        blocks.append(_button(where.url))
    fallback = f"{escape(project, limit=80)}: {said}" if project else said
    return {"text": fallback, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _header(title: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": clip(title, limit=_HEADER)}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _button(url: str) -> Block:
    label = {"type": "plain_text", "text": "Open the run"}
    return {"type": "actions", "elements": [{"type": "button", "text": label, "url": url}]}


def _context(run: RunState, where: Place) -> Block:
    took = run.finished.duration if run.finished else run.mono
    facts = [
        duration(took),
        f"branch {escape(where.branch, limit=100)}" if where.branch else "",
        f"commit {escape(where.commit[:10], limit=10)}" if where.commit else "",
        f"run {escape(run.run_id, limit=80)}" if run.run_id else "",
        f"rerun of {escape(run.rerun_of, limit=80)}" if run.rerun_of else "",
    ]
    text = " · ".join(fact for fact in facts if fact)
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def _phases(run: RunState) -> str:
    said = []
    for phase in run.phases[:_PHASES]:
        ending = end_of_phase(phase, run=run)
        need = "" if phase.required else " (optional)"
        took = f"  {duration(ending.duration)}" if phase.started is not None else ""
        why = f" {ending.reason.value}" if ending.status is Status.SKIPPED and ending.reason else ""
        said.append(f"{_MARK.get(ending.status, '○')} {escape(phase.name, limit=60)}{need}{why}{took}")
    return _joined(said, total=len(run.phases), noun="phases")


def _failed(run: RunState, *, error_limit: int, tests: int) -> str:
    failed = [test for test in run.tests if end_of_test(test, run=run).status is Status.FAILED]
    said = [_failure(test, run=run, error_limit=error_limit) for test in failed[:tests]]
    return _joined(said, total=len(failed), noun="failed tests")


def _failure(test: TestState, *, run: RunState, error_limit: int) -> str:
    head = f"✗ *{escape(test.test.id, limit=100)}*  {escape(outcome(test, run=run), limit=100)}"
    error = escape(first_line(_error(test, run=run)), limit=error_limit) if error_limit else ""
    return f"{head}\n`{error}`" if error else head


def _error(test: TestState, *, run: RunState) -> str:
    """The first bad case's message says more than the verdict that counts them."""
    bad = (case.message for case in test.cases if case.bad and case.message)
    return next(bad, None) or test.error or end_of_test(test, run=run).message or ""


def _flaky(run: RunState, *, tests: int) -> str:
    said = [f"~ {escape(test.test.id, limit=100)}  flaky" for test in run.flaky[:tests]]
    return _joined(said, total=len(run.flaky), noun="flaky tests")


def _joined(said: list[str], *, total: int, noun: str) -> str:
    """As many whole entries as a section takes, and how many there are besides."""
    kept: list[str] = []
    for one in said:
        if sum(len(other) + 1 for other in kept) + len(one) > _SECTION - 100:
            break
        kept.append(one)
    more = total - len(kept)
    return "\n".join([*kept, f"+ {more} more {noun}"] if more else kept)

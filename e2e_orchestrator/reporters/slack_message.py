"""The Slack message about a run: Block Kit within its limits, and nothing of a child that Slack would obey."""

import json
import re
from collections.abc import Mapping
from typing import Any

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.reporters.ci import Place, place
from e2e_orchestrator.reporters.comparison import comparison_of
from e2e_orchestrator.reporters.groups import Group, failures_of, group
from e2e_orchestrator.reporters.text import clip, one_line
from e2e_orchestrator.reporters.unfinished import end_of_phase, end_of_test
from e2e_orchestrator.reporters.wording import count, duration, last_sentence, outcome

# https://docs.slack.dev/reference/block-kit/blocks; the ceiling of a whole message (about 13,200
# characters) is undocumented: https://github.com/slackapi/bolt-js/issues/2509.
_HEADER, _SECTION, _MESSAGE = 150, 3000, 12_000
_TESTS, _PHASES, _URL = 10, 20, 2900
OWNERS = "E2E_ORCHESTRATE_SLACK_OWNERS"
_OWNER = "owner:"
_MENTION = re.compile(r"@(?=here|channel|everyone)", re.IGNORECASE)
_MARK = {Status.PASSED: "✓", Status.FAILED: "✗"}

Block = dict[str, Any]  # A tree of plain JSON values, as Slack wants it.


def message(run: RunState, *, environ: Mapping[str, str], recovered: bool = False) -> bytes:
    """The payload as UTF-8 JSON of less than 12,000 characters; ``recovered`` from a failed run before.

    Error lines get shorter, then fewer, until everything fits.
    """
    for error_limit, tests in ((300, _TESTS), (120, _TESTS), (60, 5), (0, 3), (0, 0)):
        payload = _payload(run, environ, error_limit=error_limit, tests=tests, recovered=recovered)
        text = json.dumps(payload, ensure_ascii=False)
        if len(text) < _MESSAGE:
            break
    return text.encode()


def owners(environ: Mapping[str, str]) -> dict[str, str]:
    """Slack's own form of a mention by owner. Raises UsageError for what is neither a user nor a group.

    A test has an owner by its tag ``owner:NAME``; the variable says who that is in Slack:
    ``payments=S0614TZR7 web=U024BE7LH``.
    """
    found = {}
    for word in environ.get(OWNERS, "").replace(",", " ").split():
        name, _, known = word.partition("=")
        if re.fullmatch(r"[UW][A-Z0-9]{2,}", known):
            found[name] = f"<@{known}>"
        elif re.fullmatch(r"S[A-Z0-9]{2,}", known):
            found[name] = f"<!subteam^{known}>"
        else:
            raise UsageError(
                f"{OWNERS}: {name} is nobody that Slack knows",
                hint="write NAME=ID with the id of a user (U…) or of a user group (S…), as their profiles show it",
            )
    return found


def escape(text: str, *, limit: int) -> str:
    """Text of others as mrkdwn that shows it and does nothing: no mentions, links or formatting."""
    shown = _MENTION.sub("@\u2060", one_line(text, limit=limit)).replace("`", "'")
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _payload(
    run: RunState, environ: Mapping[str, str], *, error_limit: int, tests: int, recovered: bool
) -> Block:
    sentence = last_sentence(run)
    where = place(environ)
    project = one_line(run.plan.project if run.plan else "", limit=80)
    mark = ("✅ GO again" if recovered else "✅ GO") if sentence.go else "⛔ NO GO"
    title = f"{mark}: {project}" if project else mark
    said = escape(sentence.text, limit=600)
    texts = [
        f"*{said}*",
        _compared(run),
        _phases(run),
        _gates(run),
        _failed(run, error_limit=error_limit, groups=tests),
        _flaky(run, tests=tests),
        _mentions(run, owners(environ)) if tests else "",
    ]
    blocks: list[Block] = [_header(title), *(_section(text) for text in texts if text)]
    blocks.append(_context(run, where))
    links = (("Open the run", where.url), ("Open the report", where.report))
    if buttons := [_button(label, url) for label, url in links if url and len(url) <= _URL]:
        blocks.append({"type": "actions", "elements": buttons})
    fallback = f"{escape(project, limit=80)}: {said}" if project else said
    return {"text": fallback, "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _header(title: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": clip(title, limit=_HEADER)}}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _button(label: str, url: str) -> Block:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url}


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


def _compared(run: RunState) -> str:
    found = comparison_of(run)
    return escape(found.sentence, limit=300) if found else ""


def _phases(run: RunState) -> str:
    said = []
    for phase in run.phases[:_PHASES]:
        ending = end_of_phase(phase, run=run)
        need = "" if phase.required else " (optional)"
        took = f"  {duration(ending.duration)}" if phase.started is not None else ""
        why = f" {ending.reason.value}" if ending.status is Status.SKIPPED and ending.reason else ""
        said.append(f"{_MARK.get(ending.status, '○')} {escape(phase.name, limit=60)}{need}{why}{took}")
    return _joined(said, total=len(run.phases), noun="phases")


def _gates(run: RunState) -> str:
    broken = [gate for gate in run.gates if not gate.holds]
    said = [
        f"✗ *gate {escape(gate.name, limit=60)}*  {escape(gate.message, limit=200)}"
        for gate in broken[:_PHASES]
    ]
    return _joined(said, total=len(broken), noun="gates")


def _failed(run: RunState, *, error_limit: int, groups: int) -> str:
    """Ten groups say more than the names of thirty tests."""
    found = group(failures_of(run))
    said = [_group(one, run=run, error_limit=error_limit) for one in found[:groups]]
    return _joined(said, total=len(found), noun="groups of failures" if groups else "failures")


def _group(found: Group, *, run: RunState, error_limit: int) -> str:
    first, *others = found.tests
    more = f" and {count(len(others), 'more test')}" if others else ""
    many = f"{len(found.failures)} failures: " if others else ""
    says = f"  {escape(outcome(run.test(first), run=run), limit=100)}" if not others else ""
    head = f"✗ {many}*{escape(first, limit=100)}*{more}{says}"
    error = escape(found.title, limit=error_limit) if error_limit else ""
    return f"{head}\n`{error}`" if error else head


def _mentions(run: RunState, known: Mapping[str, str]) -> str:
    """The owners of what failed, each once; those whom the variable does not name are nobody's business."""
    tags = (
        tag.removeprefix(_OWNER)
        for test in run.tests
        if end_of_test(test, run=run).status is Status.FAILED
        for tag in test.test.tags
        if tag.startswith(_OWNER)
    )
    found = dict.fromkeys(known[name] for name in tags if name in known)
    return " ".join(list(found)[:_TESTS])


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

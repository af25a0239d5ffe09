"""Messages for any chat: a text of JSON in which ``{{name}}`` stands for a fact about the run."""

import json
import re
from collections.abc import Mapping

from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.model.summary import RunState
from e2e_orchestrator.reporters.ci import place
from e2e_orchestrator.reporters.comparison import comparison_of
from e2e_orchestrator.reporters.groups import failures_of, group
from e2e_orchestrator.reporters.text import one_line
from e2e_orchestrator.reporters.wording import count, duration, last_sentence

_FACT = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_GROUPS, _PHASES, _LINE, _LONGEST = 5, 20, 200, 3_000

# Discord: https://discord.com/developers/docs/resources/webhook#execute-webhook; nobody is ever mentioned.
# Teams: a workflow that posts adaptive cards; Mattermost: an incoming webhook.
TEMPLATES: Mapping[str, str] = {
    "plain": (
        '{"text": "{{mark}} {{project}}: {{sentence}}", "success": {{success}}, "exit_code": {{exit_code}}, '
        '"run_id": "{{run_id}}", "url": "{{url}}", "report": "{{report}}", "groups": "{{groups}}", '
        '"compared": "{{compared}}"}'
    ),
    "discord": (
        '{"allowed_mentions": {"parse": []}, "embeds": [{"title": "{{mark}} {{project}}", '
        '"description": "{{sentence}}\\n\\n{{groups}}\\n\\n{{facts}}"}]}'
    ),
    "mattermost": '{"text": "#### {{mark}} {{project}}\\n{{sentence}}\\n\\n{{groups}}\\n\\n{{facts}}"}',
    "teams": json.dumps(
        {
            "type": "message",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "content": {
                        "type": "AdaptiveCard",
                        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                        "version": "1.4",
                        "body": [
                            {
                                "type": "TextBlock",
                                "size": "Large",
                                "weight": "Bolder",
                                "wrap": True,
                                "text": "{{mark}} {{project}}",
                            },
                            {"type": "TextBlock", "wrap": True, "text": "{{sentence}}"},
                            {"type": "TextBlock", "wrap": True, "text": "{{groups}}"},
                            {"type": "TextBlock", "wrap": True, "isSubtle": True, "text": "{{facts}}"},
                        ],
                    },
                }
            ],
        }
    ),
}

FACTS = [
    "mark",
    "sentence",
    "project",
    "success",
    "exit_code",
    "run_id",
    "duration",
    "branch",
    "commit",
    "url",
    "report",
    "tests",
    "passed",
    "failed",
    "skipped",
    "flaky",
    "phases",
    "groups",
    "facts",
    "gates",
    "baseline",
    "compared",
    "new",
    "still_failing",
    "fixed",
    "not_run",
]


def checked(template: str, *, where: str) -> str:
    """Raises UsageError for a fact that there is not, and for what would be no JSON."""
    unknown = sorted({name for name in _FACT.findall(template) if name not in FACTS})
    if unknown:
        raise UsageError(f"{where}: there is no {unknown[0]!r}", hint=f"there are: {', '.join(FACTS)}")
    try:
        json.loads(_FACT.sub("1", template))
    except ValueError as error:
        raise UsageError(
            f"{where}: is no JSON: {error}", hint='a text needs quotes: {"text": "{{sentence}}"}'
        ) from None
    return template


def filled(template: str, run: RunState, *, environ: Mapping[str, str]) -> bytes:
    """Every fact as JSON has it inside of a text, so that none can end its text."""
    known = facts(run, environ=environ)
    return _FACT.sub(lambda found: _escaped(known[found[1]]), template).encode()


def facts(run: RunState, *, environ: Mapping[str, str]) -> Mapping[str, str]:
    """What a template may say; what children chose stands as code, with nobody mentioned."""
    sentence, where = last_sentence(run), place(environ)
    finished, statuses = run.finished, [test.verdict.status.value for test in run.tests]
    took = duration(finished.duration if finished else run.mono)
    said = {
        "mark": "✅ GO" if sentence.go else "⛔ NO GO",
        "sentence": plain(sentence.text, limit=600),
        "project": plain(run.plan.project if run.plan else "run", limit=80),
        "success": "true" if sentence.go else "false",
        "exit_code": str(finished.exit_code) if finished else "1",
        "run_id": plain(run.run_id),
        "duration": took,
        "branch": plain(where.branch or ""),
        "commit": plain((where.commit or "")[:10]),
        "url": _address(where.url),
        "report": _address(where.report),
        "tests": str(len(statuses)),
        **{word: str(statuses.count(word)) for word in ("passed", "failed", "skipped")},
        "flaky": str(len(run.flaky)),
        "phases": ", ".join(plain(phase.name, limit=60) for phase in run.phases[:_PHASES]),
        "groups": _groups(run),
        "gates": "\n".join(
            f"- {_code(one.name)}: {_code(one.message)}" for one in run.gates if not one.holds
        ),
        **_compared(run),
    }
    links = [f"[{word}]({said[name]})" for name, word in (("url", "run"), ("report", "report")) if said[name]]
    named = [f"{name} {_code(said[name])}" for name in ("branch", "commit") if said[name]]
    told = [took, *filter(None, [said["compared"]]), *named, *links]
    return {**said, "facts": " · ".join(told)}


def _compared(run: RunState) -> Mapping[str, str]:
    """What is not known is no zero: without a baseline the counts are ``null``, which JSON takes for a number."""
    found = comparison_of(run)
    if found is None:
        counts = dict.fromkeys(("new", "still_failing", "fixed", "not_run"), "null")
        return {"baseline": "", "compared": "", **counts}
    return {
        "baseline": plain(found.baseline.run_id),
        "compared": plain(found.sentence, limit=300),
        "new": str(len(found.new)),
        "still_failing": str(len(found.still)),
        "fixed": str(len(found.fixed)),
        "not_run": str(len(found.not_run)),
    }


def plain(text: str, *, limit: int = _LINE) -> str:
    """One line that Markdown of any kind leaves as it is, more or less, and that mentions nobody."""
    shown = one_line(text, limit=limit).replace("@", "@\u2060").replace("<", "(").replace(">", ")")
    return shown.translate(_HARMLESS)


_HARMLESS = str.maketrans("[]`|~*", "()'¦--")


def _groups(run: RunState) -> str:
    found = group(failures_of(run))
    said = []
    for one in found[:_GROUPS]:
        more = f" and {count(len(one.tests) - 1, 'more test')}" if len(one.tests) > 1 else ""
        said.append(f"- {_code(one.tests[0])}{more}: {_code(one.title)}")
    more_groups = len(found) - _GROUPS
    return "\n".join([*said, *([f"- and {count(more_groups, 'more group')}"] if more_groups > 0 else [])])


def _code(text: str) -> str:
    shown = one_line(text, limit=_LINE).replace("`", "'").replace("@", "@\u2060").replace("<", "(")
    return f"`{shown}`" if shown else ""


def _address(url: str | None) -> str:
    """Nothing in it can end a link."""
    return re.sub(r"[^\w:/?&=%#.,;~+-]", "", url or "", flags=re.ASCII)


def _escaped(text: str) -> str:
    return json.dumps(text[:_LONGEST].encode("utf-8", "replace").decode(), ensure_ascii=False)[1:-1]

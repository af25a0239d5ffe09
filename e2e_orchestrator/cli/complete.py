"""Names for the shell to complete, from the phases.yaml that the command line is about.

Says nothing rather than something wrong: a shell in the middle of a line is no place for an error.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from e2e_orchestrator import plugins
from e2e_orchestrator.cli.asked import DEFAULT_CONFIG, Selection
from e2e_orchestrator.errors import OrchestratorError
from e2e_orchestrator.model.plan import Plan


def complete_names(what: str, *, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """What may stand here; after a comma, what may stand behind the names that are there already."""
    before, comma, word = incomplete.rpartition(",")
    chosen = set(ctx.params.get(what) or ()) | set(before.split(","))
    names = [name for name in _names(what, ctx=ctx) if name.startswith(word) and name not in chosen]
    return [CompletionItem(f"{before}{comma}{name}") for name in names]


def _names(what: str, *, ctx: click.Context) -> Iterable[str]:
    if what == "reporter":
        return plugins.names("reporter")
    plan = _plan(Path(ctx.params.get("config") or DEFAULT_CONFIG))
    if plan is None:
        return ()
    if what == "phase":
        return [*(phase.name for phase in plan.phases), "all"]
    if what == "tag":
        return sorted({tag for test in plan.tests for tag in test.tags})
    phases = ctx.params.get("phase") or ()
    chosen = [test for test in plan.tests if not phases or "all" in phases or test.phase in phases]
    return dict.fromkeys([*(test.name for test in chosen), *(test.id for test in chosen)])


def _plan(config: Path) -> Plan | None:
    from e2e_orchestrator.cli.load_plan import load_plan  # noqa: PLC0415 - pydantic, 80 ms.

    try:
        return load_plan(Selection(config=config), environ=_Anything(os.environ)).plan
    except OrchestratorError:
        return None


class _Anything(dict[str, str]):
    """An environment where a variable without a default is defined too: names rarely depend on it."""

    def __missing__(self, name: str) -> str:
        return "1"

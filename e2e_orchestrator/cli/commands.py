"""The commands by name: where each lives, and its line on the help page. Imports none of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``at`` is ``module:attribute`` of a click command."""

    at: str
    help: str


COMMANDS: dict[str, Entry] = {
    "run": Entry(
        at="e2e_orchestrator.cli.run:run", help="Run the phases; what happens when no command is named."
    ),
    "plan": Entry(
        at="e2e_orchestrator.cli.plan:plan",
        help="Show what would run, where, in which order, and what would not.",
    ),
    "validate": Entry(
        at="e2e_orchestrator.cli.validate:validate",
        help="Check phases.yaml and everything it names; run nothing.",
    ),
    "doctor": Entry(
        at="e2e_orchestrator.cli.doctor:doctor",
        help="Look whether a run would find its tools and ports; start no test.",
    ),
    "replay": Entry(
        at="e2e_orchestrator.cli.replay:replay", help="Make any report of an earlier run, from its journal."
    ),
    "merge": Entry(
        at="e2e_orchestrator.cli.merge:merge_command",
        help="Put the runs of all shards together: one verdict, any report.",
    ),
    "history": Entry(at="e2e_orchestrator.cli.history:history", help="List the runs, the newest first."),
    "clean": Entry(
        at="e2e_orchestrator.cli.clean:clean", help="End what dead runs left running; remove runs with --all."
    ),
    "schema": Entry(
        at="e2e_orchestrator.cli.schema:schema", help="Print the JSON Schema of phases.yaml for editors."
    ),
    "completion": Entry(
        at="e2e_orchestrator.cli.completion:completion",
        help="Print what makes your shell complete this program.",
    ),
}

DEFAULT_COMMAND = "run"

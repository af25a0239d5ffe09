"""What several machines do, one after the other, and what the whole has to have in common with one run."""

from collections.abc import Mapping
from typing import Any

from support.project import Finished, Project


def run_shards(project: Project, count: int, *arguments: str) -> list[Finished]:
    """Each with an output folder of its own, as on machines of their own."""
    return [
        project.finish(
            project.start("--shard", f"{index}/{count}", "--output", f"results-{index}", *arguments),
            output=f"results-{index}",
        )
        for index in range(1, count + 1)
    ]


def outcome(run: Finished) -> dict[str, Any]:
    """What does not depend on who ran it, and when."""
    results = run.results
    return {
        "exit_code": run.exit_code,
        "last_line": {
            key: run.last_line[key]
            for key in ("success", "why", "tests", "passed", "failed", "skipped", "flaky")
        },
        "phases": [
            (phase["name"], phase["status"], phase["reason"], phase["required"])
            for phase in results["phases"]
        ],
        "tests": [
            (name, test["status"], test["reason"], len(test["attempts"]), test["error"], _cases(test))
            for name, test in run.tests.items()
        ],
        "flaky": results["flaky"],
        "success": results["success"],
    }


def _cases(test: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(case["id"], case["status"]) for case in test["cases"]]

"""What ``doctor`` asks a runner: which tools would its tests find, and which would they miss?"""

import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from e2e_orchestrator.cli.boundary import masked
from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.command import Command, Tool
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.protocols import EquippedRunner

_NAMED = 5
_SECONDS = 60.0


@dataclass(slots=True, kw_only=True)
class Equipment:
    """Names of what is there, in the order in which tests need it, and sentences about what is not."""

    names: dict[str, None] = field(default_factory=dict)
    lacks: dict[str, None] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)

    @property
    def there(self) -> str:
        return ", ".join(_first(self.names))

    @property
    def missing(self) -> list[str]:
        return _first(self.lacks)

    @property
    def doubtful(self) -> list[str]:
        return _first(self.doubts)


def _first(said: Iterable[str]) -> list[str]:
    """Not more than anybody reads, and how many that leaves."""
    whole = list(said)
    return whole if len(whole) <= _NAMED else [*whole[:_NAMED], f"and {len(whole) - _NAMED} more"]


class Asking:
    """Asks each question once, however many tests it is about."""

    def __init__(self) -> None:
        self._answers: dict[tuple[object, ...], str | None] = {}

    def lack(self, tool: Tool) -> str | None:
        """Why a tool is not there, in a sentence with what to type; None if it is."""
        if tool.ask is None:
            return None
        key = (tool.ask.argv, tool.ask.cwd, *sorted(tool.ask.env.items()))
        if key not in self._answers:
            self._answers[key] = _objection(tool.ask)
        said = self._answers[key]
        if said is None:
            return None
        return f"{tool.missing}{f': {said}' if said else ''} (hint: {tool.hint})"


def tools_of(runner: EquippedRunner, tests: Sequence[Test], *, asking: Asking) -> Equipment:
    """A test is asked up to its first tool that is missing, as that is where its run would end."""
    found = Equipment()
    for test in tests:
        try:
            for tool in runner.tools(test):
                lack = asking.lack(tool)
                if lack is None:
                    found.names[tool.name] = None
                elif tool.needed:
                    found.lacks[lack] = None
                    break
                else:
                    found.doubts[lack] = None
        except InfrastructureError as error:
            found.lacks[f"{error.message} (hint: {error.hint})" if error.hint else error.message] = None
    return found


def _objection(ask: Command) -> str | None:
    """What a program says that does not end with 0; None if it does."""
    try:
        done = subprocess.run(
            ask.argv,
            cwd=ask.cwd,
            env={**os.environ, **ask.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError) as error:
        return masked(str(error))
    return masked(_error(done.stderr.strip().splitlines())) if done.returncode else None


def _error(lines: Sequence[str]) -> str:
    """Python ends with its error, Node with its version."""
    return next((line for line in reversed(lines) if "Error:" in line), lines[-1] if lines else "")

"""What no single field can know: names that are taken, runners that do not exist.

Reads the plain data, valid or not, so that these mistakes stand beside the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

from e2e_orchestrator.config.construct import Data, Key
from e2e_orchestrator.config.mistakes import suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    keys: tuple[Key, ...]
    says: str
    hint: str | None = None


def findings(data: dict[str, Data]) -> Iterator[Finding]:
    """Everything that is wrong between the parts of the file."""
    runners = data.get("runners")
    phases = data.get("phases")
    if not isinstance(phases, list):
        return
    seen: set[str] = set()
    for index, phase in enumerate(phases):
        if not isinstance(phase, dict):
            continue
        name, runner = phase.get("name"), phase.get("runner")
        if _is_name(name):
            if name in seen:
                yield Finding(
                    keys=("phases", index, "name"),
                    says="a phase above has the same name",
                    hint="names are unique",
                )
            seen.add(name)
        if _is_name(runner) and isinstance(runners, dict) and runners and runner not in runners:
            yield Finding(
                keys=("phases", index, "runner"),
                says=f"there is no runner `{runner}`",
                hint=suggestion(runner, runners, otherwise="defined under `runners`"),
            )


def _is_name(value: Data | None) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)

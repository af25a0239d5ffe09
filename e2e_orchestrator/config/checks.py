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
    yield from _needs(phases)


def _needs(phases: list[Data]) -> Iterator[Finding]:
    """Phases that nobody can wait for: unknown ones, itself, and those that wait for this one."""
    named = [phase.get("name") if isinstance(phase, dict) else None for phase in phases]
    known = {name: index for index, name in reversed(list(enumerate(named))) if _is_name(name)}
    waits = {index: _waits_for(phase, index, known=known) for index, phase in enumerate(phases)}
    for index, phase in enumerate(phases):
        for at, need in enumerate(_written_needs(phase)):
            if not _is_name(need):
                continue
            says, hint = None, None
            if need not in known:
                others = [name for name in known if known[name] != index]
                says = f"there is no phase `{need}`"
                hint = suggestion(need, others, otherwise="there are")
            elif known[need] == index:
                says, hint = "a phase cannot wait for itself", "leave it out"
            # Every circle holds a step downwards, so this finds each; the others would say it again.
            elif known[need] > index and (way := _way(waits, known[need], index)):
                circle = " needs ".join(f"`{named[one]}`" for one in (index, *way))
                says = f"the phases would wait for each other: {circle}"
                hint = "a phase without `needs` needs all above it"
            if says:
                yield Finding(keys=("phases", index, "needs", at), says=says, hint=hint)


def _written_needs(phase: Data) -> list[Data]:
    needs = phase.get("needs") if isinstance(phase, dict) else None
    return needs if isinstance(needs, list) else []


def _waits_for(phase: Data, index: int, *, known: dict[str, int]) -> list[int]:
    if isinstance(phase, dict) and isinstance(phase.get("needs"), list):
        return [known[need] for need in _written_needs(phase) if _is_name(need) and need in known]
    return list(range(index))


def _way(waits: dict[int, list[int]], start: int, end: int) -> list[int] | None:
    """The shortest way from one phase to another along what they wait for."""
    ways = {start: [start]}
    for one in (queue := [start]):
        for step in waits[one]:
            if step not in ways:
                ways[step] = [*ways[one], step]
                queue.append(step)
    return ways.get(end)


def _is_name(value: Data | None) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value)

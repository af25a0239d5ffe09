"""Which phases come before which: those that a phase needs, or without a word all that stand above it."""

from collections.abc import Mapping
from dataclasses import replace
from graphlib import TopologicalSorter

from e2e_orchestrator.model.plan import Plan, PlannedPhase


def settle_needs(phases: tuple[PlannedPhase, ...]) -> tuple[PlannedPhase, ...]:
    """The phases, each with everything that it needs, directly or not.

    So a selection may drop any of them, and those that are left keep their order. Nothing changes where no
    phase says what it needs: the order of the file is enough. Circles must have been refused before.
    """
    if all(phase.needs is None for phase in phases):
        return phases
    before = before_each(phases)
    return tuple(replace(phase, needs=before[phase.name]) for phase in phases)


def before_each(phases: tuple[PlannedPhase, ...]) -> dict[str, tuple[str, ...]]:
    """By phase, those of these phases that are finished before it starts, in the order of the file.

    What it needs and is not among them counts as met.
    """
    names = [phase.name for phase in phases]
    if all(phase.needs is None for phase in phases):
        return {name: tuple(names[:at]) for at, name in enumerate(names)}
    direct = {
        phase.name: set(names[:at]) if phase.needs is None else set(phase.needs).intersection(names)
        for at, phase in enumerate(phases)
    }
    whole: dict[str, set[str]] = {}
    for name in TopologicalSorter(direct).static_order():
        whole[name] = direct[name].union(*(whole[need] for need in direct[name]))
    return {name: tuple(one for one in names if one in whole[name]) for name in names}


def directly_before(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The same without what follows from the rest; for people."""
    before = before_each(plan.phases)
    return {
        name: tuple(one for one in needs if not any(one in before[other] for other in needs))
        for name, needs in before.items()
    }


def chains_after(before: Mapping[str, tuple[str, ...]], seconds: Mapping[str, float]) -> dict[str, float]:
    """By phase, how long the longest chain of phases takes that waits for it; ``seconds`` are the phases' own."""
    after = dict.fromkeys(before, 0.0)
    # Whoever waits for another waits for everything that one waits for, and so for more phases.
    for name in sorted(before, key=lambda one: -len(before[one])):
        for need in before[name]:
            after[need] = max(after[need], after[name] + seconds[name])
    return after

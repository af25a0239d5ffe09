"""Which part of a plan one of several machines runs: the longest units first, each to the machine with the least.

Every machine computes the same from the same plan and the same durations, without talking to the others.
That it did is proven afterwards: every shard names the whole plan, and ``merge`` compares.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from e2e_orchestrator.model.plan import LeftOut, Plan, PlannedPhase, Shard, Test
from e2e_orchestrator.planning.ordering import estimates

_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """Tests that stay together."""

    tests: tuple[Test, ...]
    seconds: float


def split(plan: Plan, *, index: int, count: int) -> tuple[Plan, Shard]:
    """The part of shard ``index`` of ``count``, from 1; the tests of the others move to ``left_out``.

    A sequential phase stays in one piece. No shard is empty unless there are fewer units than shards.
    """
    mine = _assignment(plan, count)
    phases: list[PlannedPhase] = []
    left_out = list(plan.left_out)
    for phase in plan.phases:
        kept = tuple(test for test in phase.tests if mine[test.id] == index)
        left_out += [
            LeftOut(id=test.id, why=f"in shard {mine[test.id]}/{count}")
            for test in phase.tests
            if mine[test.id] != index
        ]
        if kept:
            phases.append(replace(phase, tests=kept))
    part = replace(
        plan, phases=tuple(phases), left_out=tuple(left_out), services=plan.services if phases else ()
    )
    tests = tuple(test.id for test in plan.tests)
    return part, Shard(index=index, count=count, digest=digest_of(tests), tests=tests)


def digest_of(tests: tuple[str, ...]) -> str:
    """Of the ids, whatever their order."""
    joined = "\n".join(sorted(tests))
    return sha256(joined.encode("utf-8", "replace")).hexdigest()[:_DIGITS]


def _assignment(plan: Plan, count: int) -> dict[str, int]:
    """The number of its shard by test id."""
    # The least loaded shard first; of equal ones that with the fewest units, so that none stays empty.
    shards = [(0.0, 0, index) for index in range(1, count + 1)]
    found: dict[str, int] = {}
    for unit in sorted(_units(plan), key=lambda one: -one.seconds):
        load, units, index = shards[0]
        heapq.heapreplace(shards, (load + unit.seconds, units + 1, index))
        found.update((test.id, index) for test in unit.tests)
    return found


def _units(plan: Plan) -> list[_Unit]:
    """In the order of the file.

    The number of slots plays no part: it may differ from machine to machine, and the split may not.
    """
    seconds = estimates(plan) or dict.fromkeys((test.id for test in plan.tests), 1.0)
    return [unit for phase in plan.phases for unit in _units_of(phase, seconds)]


def _units_of(phase: PlannedPhase, seconds: Mapping[str, float]) -> list[_Unit]:
    if not phase.parallel:
        return [_Unit(tests=phase.tests, seconds=sum(seconds[test.id] for test in phase.tests))]
    return [_Unit(tests=(test,), seconds=seconds[test.id]) for test in phase.tests]

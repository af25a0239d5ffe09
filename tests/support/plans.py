"""Plans in a line: phases of named tests, as the engine gets them."""

import math
import random
from dataclasses import replace
from typing import Any

from e2e_orchestrator.model.plan import Plan, PlannedPhase, RetryPolicy, Test

NO_RETRY = RetryPolicy(max=0)


def a_test(name: str, *, phase: str = "one", **fields: Any) -> Test:
    given = {"runner": "r", "kind": "command", "target": "true", "cwd": "/", "retries": NO_RETRY, **fields}
    return Test(id=f"{phase}/{name}", name=name, phase=phase, **given)


def a_phase(name: str, *tests: str | Test, **fields: Any) -> PlannedPhase:
    made = tuple(
        a_test(test, phase=name)
        if isinstance(test, str)
        else replace(test, id=f"{name}/{test.name}", phase=name)
        for test in tests
    )
    given = {"runner": "r", "parallel": True, "required": True, "timeout": 100.0, **fields}
    return PlannedPhase(name=name, tests=made, **given)


def a_plan(*phases: PlannedPhase, **fields: Any) -> Plan:
    given = {"project": "p", "config": "phases.yaml", "root": "/", "timeout": 1000.0, "workers": 2, **fields}
    return Plan(phases=phases, **given)


def a_suite(tests: int = 400) -> Plan:
    """Phases of all kinds, tests of all durations; one in ten is unknown."""
    rng = random.Random("a suite")
    made = [
        a_test(f"t{at}", expected=None if rng.random() < 0.1 else round(math.exp(rng.gauss(0.7, 1)), 3))
        for at in range(tests)
    ]
    return a_plan(
        a_phase("health", *made[:5]),
        a_phase("flows", *made[5:25], parallel=False),
        a_phase("smoke", *made[25:200]),
        a_phase("ordered", *made[200:230], parallel=False, required=False),
        a_phase("rest", *made[230:]),
    )

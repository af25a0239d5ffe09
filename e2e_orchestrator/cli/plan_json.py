"""A plan for programs: ``e2e-orchestrate plan --json``."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from e2e_orchestrator.cli.describe_isolation import Worlds
from e2e_orchestrator.model.plan import LeftOut, Plan, PlannedPhase, Test
from e2e_orchestrator.model.service import PlannedService
from e2e_orchestrator.planning.makespan import Makespan, expected_makespan
from e2e_orchestrator.planning.needs import before_each
from e2e_orchestrator.planning.ordering import start_order

SCHEMA = 1


def to_json(planned: Plan) -> dict[str, Any]:
    """The plan for programs. Times in seconds, folders absolute; of environments only the names.

    ``{schema, project, config, root, timeout, workers, start_order, makespan: {expected, lower_bound, unknown}
    | null, phases: [{name, description, needs, runner, parallel,
    required, timeout, tests: [{order, id, name, runner, kind, target, cwd, args, env, timeout,
    retries: {max, delay, factor, max_delay, jitter}, tags, expected, condition, isolation}]}], bases, services: [{name, command, compose, external, task, cwd, env,
    ports, needs, scope, phases, ready: [{kind, timeout, interval, …}], restarts, stop: {signal, grace}}],
    checked: [{what, where, host, database, user, service, settings, allowed, refused, proof}], left_out: [{id, why}]}``

    ``needs`` are all phases that are finished before this one starts. Tests stand in the order of the file; ``order`` counts from 1 in which they start. A test's own ``timeout`` is null if only its phase and
    the run limit it. ``condition`` says why a test would be skipped; null if it would run. ``isolation`` and
    ``bases`` are described by :class:`Worlds`.
    """
    before, worlds = before_each(planned.phases), Worlds(planned)
    order = {test.id: number for number, test in enumerate(_started(planned), start=1)}
    return {
        "schema": SCHEMA,
        "project": planned.project,
        "config": planned.config,
        "root": planned.root,
        "timeout": planned.timeout,
        "workers": planned.workers,
        "start_order": planned.order.value,
        "makespan": _makespan_json(expected_makespan(planned)),
        "phases": [
            {
                **_phase_json(phase, needs=before[phase.name]),
                "tests": [
                    {**_test_json(test, order=order[test.id]), "isolation": worlds.test_json(test)}
                    for test in phase.tests
                ],
            }
            for phase in planned.phases
        ],
        "bases": worlds.bases_json(),
        "services": [_service_json(service) for service in planned.services],
        "checked": [checked.told for checked in planned.checked],
        "left_out": [{"id": left.id, "why": left.why} for left in left_out_of(planned)],
    }


def _phase_json(phase: PlannedPhase, *, needs: Iterable[str]) -> dict[str, Any]:
    return {
        "name": phase.name,
        "description": phase.description,
        "needs": list(needs),
        "runner": phase.runner,
        "parallel": phase.parallel,
        "required": phase.required,
        "timeout": phase.timeout,
    }


def _makespan_json(makespan: Makespan | None) -> dict[str, Any] | None:
    return (
        {
            "expected": round(makespan.expected, 3),
            "lower_bound": round(makespan.lower_bound, 3),
            "unknown": makespan.unknown,
        }
        if makespan
        else None
    )


def _test_json(test: Test, *, order: int) -> dict[str, Any]:
    return {
        "order": order,
        "id": test.id,
        "name": test.name,
        "runner": test.runner,
        "kind": test.kind,
        "target": test.target,
        "cwd": test.cwd,
        "args": list(test.args),
        "env": list(test.env),
        "timeout": test.timeout,
        "retries": {
            "max": test.retries.max,
            "delay": test.retries.delay,
            "factor": test.retries.factor,
            "max_delay": test.retries.max_delay,
            "jitter": test.retries.jitter,
        },
        "tags": list(test.tags),
        "expected": test.expected,
        "condition": test.condition,
    }


def _service_json(service: PlannedService) -> dict[str, Any]:
    return {
        "name": service.name,
        "command": list(service.command),
        "compose": asdict(service.compose) if service.compose else None,
        "external": service.external,
        "task": service.task,
        "cwd": service.cwd,
        "env": list(service.env),
        "ports": list(service.ports),
        "needs": list(service.needs),
        "scope": service.scope.value,
        "phases": list(service.phases),
        "ready": [asdict(probe) for probe in service.ready],
        "restarts": service.restarts,
        "stop": {"signal": service.stop.signal.value, "grace": service.stop.grace},
    }


def left_out_of(planned: Plan) -> list[LeftOut]:
    """What was not selected, and what a condition keeps from running."""
    conditions = [LeftOut(id=test.id, why=test.condition) for test in planned.tests if test.condition]
    return [*planned.left_out, *conditions]


def _started(planned: Plan) -> Iterator[Test]:
    """In the order in which they start."""
    for phase in planned.phases:
        yield from start_order(phase, plan=planned)

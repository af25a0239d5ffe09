"""What slots are going to own, for those who read a plan."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, assert_never

from e2e_orchestrator.cli.load_plan import surroundings_of
from e2e_orchestrator.isolation.address import Kind
from e2e_orchestrator.isolation.bases import Surrounds
from e2e_orchestrator.isolation.driver import Base
from e2e_orchestrator.isolation.outlook import Foreseen, Template, foresee, known_bases
from e2e_orchestrator.model.isolation import (
    CopiedData,
    DatabaseIsolation,
    Fallback,
    Isolation,
    RedisIsolation,
    Reset,
)
from e2e_orchestrator.model.plan import Plan, PlannedPhase, Test
from e2e_orchestrator.model.service import Scope


@dataclass(frozen=True, slots=True)
class Worlds:
    """Of one plan; the addresses of bases are those of the environment that this process has.

    JSON of a base: ``{variable, kind, server, database, data, template: copied | built | kept | null, schema_files}``.
    JSON of a test's isolation: ``{database, redis, ports, directory, reset, data, fallback, variables, services}``,
    of which the first seven are the words of the file; null if the test shares everything.
    """

    planned: Plan
    around: Surrounds = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "around", surroundings_of(self.planned, os.environ))

    def bases_text(self) -> list[str]:
        return [
            f"base     {one.base.variable}: {_place(one.base)}{_template(one)}"
            for one in foresee(self.around)
        ]

    def bases_json(self) -> list[dict[str, Any]]:
        return [
            {
                "variable": one.base.variable,
                "kind": one.base.address.kind.value,
                "server": ", ".join(one.base.address.hosts) or None,
                "database": one.base.address.database or None,
                "data": one.base.data.value,
                "template": one.template.value if one.template else None,
                "schema_files": len(one.base.source.schema_files),
            }
            for one in foresee(self.around)
        ]

    def phase_text(self, phase: PlannedPhase) -> list[str]:
        """A line for each kind of world that its tests have; none where all of them share everything."""
        tests_of: dict[str, list[str]] = {}
        for test in phase.tests:
            if not test.condition:
                tests_of.setdefault(self._owned(test), []).append(test.name)
        if len(tests_of) == 1:
            return [f"   {said}" for said in tests_of if said]
        return [f"   {said} ({', '.join(names)})" for said, names in tests_of.items() if said]

    def test_json(self, test: Test) -> dict[str, Any] | None:
        isolation = test.isolation
        if isolation is None:
            return None
        return {
            "database": isolation.database.value,
            "redis": isolation.redis.value,
            "ports": list(isolation.ports),
            "directory": isolation.directory or None,
            "reset": isolation.reset.value,
            "data": isolation.data.value,
            "fallback": isolation.fallback.value,
            "variables": [key.variable for key in known_bases(test, self.around)],
            "services": self._services(test),
        }

    def _services(self, test: Test) -> list[str]:
        services = self.planned.services
        return [one.name for one in services if one.scope is Scope.SLOT and one.serves(test.phase)]

    def _owned(self, test: Test) -> str:
        things = list(self._things(test))
        if not things:
            return ""
        isolation = test.isolation
        wants = isolation is not None and (isolation.directory or _wants_databases(isolation))
        again = f"; {_again(isolation.reset)}" if isolation and wants else ""
        return f"each slot owns {', '.join(things)}{again}"

    def _things(self, test: Test) -> Iterator[str]:
        isolation = test.isolation or Isolation()
        bases = known_bases(test, self.around)
        for base in bases.values():
            yield _database(base, isolation)
        if _wants_databases(isolation) and not bases:
            yield "databases whose addresses are not known yet"
        if isolation.ports:
            yield f"ports {' '.join(isolation.ports)}"
        if isolation.directory:
            yield f"a folder in {isolation.directory}"
        if services := self._services(test):
            yield f"services {' '.join(services)}"
        if isolation.fallback is Fallback.ERROR and bases:
            yield "and none of it shared if it cannot be had"


def _wants_databases(isolation: Isolation) -> bool:
    return isolation.database is DatabaseIsolation.CLONE or isolation.redis is not RedisIsolation.SHARED


def _database(base: Base, isolation: Isolation) -> str:
    if base.address.kind is Kind.OTHER:
        return f"nothing of {base.variable}, which cannot be cloned"
    if base.address.kind is not Kind.REDIS:
        rows = "with its rows" if isolation.data is CopiedData.COPY else "without rows"
        return f"a clone of {base.variable} {rows}"
    if isolation.redis is RedisIsolation.PREFIX:
        return f"a prefix in {base.variable}"
    return f"a numbered database in {base.variable}"


def _again(reset: Reset) -> str:
    match reset:
        case Reset.PER_TEST:
            return "anew before each attempt"
        case Reset.PER_PHASE:
            return "anew for each phase"
        case Reset.ON_RETRY:
            return "anew before each retry"
        case Reset.NEVER:
            return "never made anew"
        case unknown:
            assert_never(unknown)


def _place(base: Base) -> str:
    address = base.address
    if address.kind is Kind.SQLITE:
        return f"sqlite {address.database}"
    return f"{address.server}, database {address.database or '0'}"


def _template(one: Foreseen) -> str:
    source = one.base.source
    rows = " without rows" if one.base.data is CopiedData.NONE else ""
    match one.template:
        case None:
            return ""
        case Template.COPIED:
            return f"; its template is copied{rows} in each run"
        case Template.BUILT:
            return f"; its template is built{rows} in each run by {_built(one)}"
        case Template.KEPT:
            files = len({*source.schema_files, *([source.sql] if source.sql else [])})
            until = "its file changes" if files == 1 else f"one of its {files} files changes"
            return f"; its template is built{rows} by {_built(one)} and kept until {until}"
        case unknown:
            assert_never(unknown)


def _built(one: Foreseen) -> str:
    source = one.base.source
    words = [*([source.sql] if source.sql else []), *([" ".join(source.migrate)] if source.migrate else [])]
    return " and ".join(words)

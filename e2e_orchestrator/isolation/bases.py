"""Which databases the tests of a plan want for their slots alone, and whether they may have them. Mostly pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.address import Address, Kind, foreign, parse
from e2e_orchestrator.isolation.driver import Base, Migrate, Owner, no_migration
from e2e_orchestrator.model.isolation import (
    CopiedData,
    DatabaseIsolation,
    Isolation,
    PlannedDatabase,
    RedisIsolation,
)
from e2e_orchestrator.model.plan import Plan, Test
from e2e_orchestrator.model.safeguards import Safeguards

_USUAL = ("DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What two tests must have in common to share what their slot owns. ``mode`` is Redis's."""

    variable: str
    url: str = field(repr=False)
    data: CopiedData
    mode: RedisIsolation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrounds:
    """What all bases of a run have in common; ``environ`` is what every child gets before its own additions."""

    plan: Plan
    environ: Mapping[str, str]
    owner: Owner
    rules: Safeguards = field(default_factory=Safeguards)
    migrate: Migrate = no_migration


def bases_of(test: Test, around: Surrounds) -> dict[Key, Base]:
    """What the slot of this test is to own.

    Raises InfrastructureError if the environment of the test has no address of the kind that it wants.
    """
    isolation = test.isolation or Isolation()
    found = {key: base for key, base in _all(test, isolation, around) if _is_wanted(key, base, isolation)}
    _require(found, test=test, isolation=isolation, around=around)
    return found


def _all(test: Test, isolation: Isolation, around: Surrounds) -> Iterator[tuple[Key, Base]]:
    environ = {**around.environ, **test.env}
    named = {one.variable: one for one in around.plan.databases}
    sources = {**{name: PlannedDatabase(variable=name) for name in _USUAL}, **named}
    for variable, source in sources.items():
        url = source.url or environ.get(variable)
        if not url:
            continue
        if variable not in named and "://" not in url:
            continue
        address = None if source.is_built else foreign(url)
        address = address or parse(url, variable=variable)
        if address.kind is Kind.SQLITE:
            address = _absolute(address, source.cwd if source.is_built else test.cwd)
        mode = isolation.redis if address.kind is Kind.REDIS else None
        data = CopiedData.COPY if address.kind is Kind.REDIS else isolation.data
        key = Key(variable=variable, url=address.with_database(address.database), data=data, mode=mode)
        yield (
            key,
            Base(
                variable=variable,
                address=address,
                source=source,
                data=data,
                owner=around.owner,
                rules=around.rules,
                migrate=around.migrate,
            ),
        )


def _is_wanted(key: Key, base: Base, isolation: Isolation) -> bool:
    if base.address.kind is Kind.REDIS:
        return key.mode is not RedisIsolation.SHARED
    return isolation.database is DatabaseIsolation.CLONE


def _absolute(address: Address, cwd: str) -> Address:
    """``sqlite:///a/b`` is a/b from a folder, ``sqlite:////a/b`` is /a/b.

    Where there is a base it is the test's folder, which is where the test itself would look; what is built
    is one and the same for all tests, whatever their folders.
    """
    return replace(address, database=str(Path(cwd) / address.database))


def _require(found: Mapping[Key, Base], *, test: Test, isolation: Isolation, around: Surrounds) -> None:
    kinds = {base.address.kind is Kind.REDIS for base in found.values()}
    named = ", ".join(one.variable for one in around.plan.databases)
    for wanted, is_redis, usual in (
        (isolation.database is DatabaseIsolation.CLONE, False, "DATABASE_URL"),
        (isolation.redis is not RedisIsolation.SHARED, True, "REDIS_URL"),
    ):
        if wanted and is_redis not in kinds:
            what = f"redis: {isolation.redis}" if is_redis else "database: clone"
            if {**around.environ, **test.env}.get(usual):
                raise InfrastructureError(
                    f"{test.id} wants `{what}`, but its {usual} is no address in the form of a URL",
                    hint=f"write {'redis://host:port/number' if is_redis else 'postgresql://user@host/database'}",
                )
            raise InfrastructureError(
                f"{test.id} wants `{what}`, but its environment has no {usual}"
                + (f" nor {named}" if named else ""),
                hint=f"set {usual} under `env:`, or name the variable and its `url` under `databases:`",
            )


def all_bases(around: Surrounds, *, skipped: bool = False) -> dict[Key, Base]:
    """As far as their addresses are known by now, in the order of the file.

    Of the tests that run; with ``skipped`` also of those whose ``when`` does not hold this time.
    """
    found: dict[Key, Base] = {}
    for test in around.plan.tests:
        if test.isolation is None or (test.condition and not skipped):
            continue
        try:
            bases = bases_of(test, around)
        except InfrastructureError:
            continue  # Said where the test itself comes to it: a service may provide the address.
        found |= {key: base for key, base in bases.items() if base.address.is_complete and key not in found}
    return found

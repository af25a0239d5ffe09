"""Refuses what is not known to be a test database, before anything of a run starts."""

from dataclasses import replace
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.address import Kind
from e2e_orchestrator.isolation.bases import Surrounds, all_bases
from e2e_orchestrator.isolation.driver import Base
from e2e_orchestrator.isolation.leases import driver_for
from e2e_orchestrator.safety.guards import refuse, require_test_database


async def refuse_strangers(around: Surrounds) -> None:
    """Raises SafeguardRefused. Connects only to a base whose name does not say that it is for tests.

    Then its marker table has to say so; a server that does not answer yet says nothing, which is a no.
    """
    for base in all_bases(around).values():
        if base.address.kind is Kind.REDIS:
            continue  # Its numbers have no names: what is flushed there is claimed first.
        try:
            _require(base)
        except SafeguardRefused as refusal:
            await _ask_for_the_marker(base, refusal)


def _require(base: Base) -> None:
    is_file = base.address.kind is Kind.SQLITE  # Only ever read, and copied into the folder of the run.
    for target in base.address.targets:
        if not (target.database or base.source.is_built):
            refuse(base.variable, why="its address names no database")
        named = replace(target, database=Path(target.database or "").stem) if is_file else target
        marked = is_file or base.source.is_built
        require_test_database(named, what=base.variable, rules=base.rules, marked=marked)


async def _ask_for_the_marker(base: Base, refusal: SafeguardRefused) -> None:
    for target in base.address.targets:  # What the marker cannot heal.
        require_test_database(target, what=base.variable, rules=base.rules, marked=True)
    driver = None
    try:
        driver = driver_for(base)
        await driver.examine()
    except InfrastructureError:
        raise refusal from None
    finally:
        if driver:
            await driver.close()

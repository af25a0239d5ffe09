"""Refuses what is not known to be a test database, before anything of a run starts."""

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.address import Kind
from e2e_orchestrator.isolation.bases import Surrounds, all_bases
from e2e_orchestrator.isolation.driver import Base
from e2e_orchestrator.isolation.leases import driver_for
from e2e_orchestrator.isolation.outlook import require


async def refuse_strangers(around: Surrounds) -> None:
    """Raises SafeguardRefused. Connects only to a base whose name does not say that it is for tests.

    Then its marker table has to say so; a server that does not answer yet says nothing, which is a no.
    """
    for base in all_bases(around).values():
        if base.address.kind is Kind.REDIS:
            continue  # Looked at when the run leases it: the server may be a service that comes first.
        try:
            require(base)
        except SafeguardRefused as refusal:
            await _ask_for_the_marker(base, refusal)


async def _ask_for_the_marker(base: Base, refusal: SafeguardRefused) -> None:
    require(base, marked=True)  # What the marker cannot heal.
    driver = None
    try:
        driver = driver_for(base)
        await driver.examine()
    except InfrastructureError:
        raise refusal from None
    finally:
        if driver:
            await driver.close()

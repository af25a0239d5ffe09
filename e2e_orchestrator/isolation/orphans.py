"""What dead runs left on the servers that a plan names."""

from dataclasses import replace
from importlib import import_module

from e2e_orchestrator.errors import InfrastructureError, OrchestratorError
from e2e_orchestrator.isolation.address import Address, Kind
from e2e_orchestrator.isolation.bases import Surrounds, all_bases
from e2e_orchestrator.isolation.driver import Base, Dead, Orphan

_MODULES = {
    Kind.POSTGRES: "e2e_orchestrator.isolation.postgres_orphans",
    Kind.MYSQL: "e2e_orchestrator.isolation.mysql",
    Kind.REDIS: "e2e_orchestrator.isolation.redis",
}


async def find_orphans(
    around: Surrounds, *, dead: Dead, kept: bool = False
) -> tuple[list[Orphan], list[InfrastructureError]]:
    """One list for all servers, each asked once, and why some could not be asked, or what nobody may remove.

    ``dead`` says whether the run of a marker has ended, as far as this machine knows; its lock on the server
    has the last word. With ``kept``, templates that were to outlive their runs are among them.
    """
    servers: dict[Address, Base] = {}
    for base in all_bases(around, skipped=True).values():
        servers.setdefault(replace(base.address, database=""), base)
    found: list[Orphan] = []
    silent: list[InfrastructureError] = []
    for base in servers.values():
        if module := _MODULES.get(base.address.kind):
            try:
                asked = import_module(module)
                found += await asked.orphans(base, dead=dead, kept=kept)
                if base.address.kind is Kind.POSTGRES:  # Others say whose a database is when they make it.
                    silent += map(InfrastructureError, await asked.unmarked(base))
            except ModuleNotFoundError as error:
                silent.append(InfrastructureError(f"{base.address.server}: {error.name} is not installed"))
            except OrchestratorError as error:
                silent.append(InfrastructureError(error.message))
    return found, silent

"""What dead runs left on a PostgreSQL server: told by its marker, and only then removed."""

import re
import socket
from functools import partial

from e2e_orchestrator.isolation import postgres_server as pg
from e2e_orchestrator.isolation.driver import Base, CannotIsolate, Dead, Orphan
from e2e_orchestrator.isolation.names import Marker, is_our_name, run_lock

_OF_A_RUN = re.compile(
    r".*_([0-9]{8})_([0-9]{6})_([0-9a-f]{6})_(?:[0-9]+(?:_x[0-9]+)?|template)(?:_b[0-9]+)?"
)
_WITHOUT_COMMENT = (
    "SELECT datname FROM pg_database WHERE shobj_description(oid, 'pg_database') IS NULL ORDER BY 1"
)


async def orphans(base: Base, *, dead: Dead, kept: bool = False) -> list[Orphan]:
    """What runs left on the server that hold no lock there any more and are ``dead``.

    With ``kept``, also complete templates that no run uses.
    """
    server = pg.Server(base.address, rules=base.rules)
    try:
        async with server.borrowed() as connection:
            found = [(name, await pg.marker_of(connection, name)) for name in await pg.ours(connection)]
            return [
                Orphan(
                    name=name,
                    where=base.address.server,
                    run_id=marker.run_id,
                    remove=partial(_remove, base, name=name, marker=marker),
                )
                for name, marker in found
                if marker and dead(marker) and await _is_left(connection, name, marker, kept=kept)
            ]
    finally:
        await server.close()


async def unmarked(base: Base) -> list[str]:
    """Databases with the names of a run that is not there any more and no word of whose they are.

    The server goes on making a copy whose run is killed meanwhile, and a comment is a statement of its own. What
    has no marker is never dropped, so that somebody has to hear of it.
    """
    server = pg.Server(base.address, rules=base.rules)
    try:
        async with server.borrowed() as connection:
            names = [str(name) for (name,) in await pg.rows(connection, _WITHOUT_COMMENT)]
            runs = {name: run_id for name in names if (run_id := _run_of(name))}
            return [
                f"the database {name!r} at {base.address.server} has a name of run {run_id}, which may have been killed "
                f"while it was made: it does not say that it is ours, and stays. If nobody needs it: DROP DATABASE {name};"
                for name, run_id in runs.items()
                if await pg.is_free(connection, run_lock(run_id))
            ]
    finally:
        await server.close()


def _run_of(name: str) -> str | None:
    found = _OF_A_RUN.fullmatch(name)
    return "-".join(found.groups()) if found and is_our_name(name) else None


async def _is_left(connection: pg.Connection, name: str, marker: Marker, *, kept: bool) -> bool:
    if marker.kind == "kept" and marker.sealed:
        return kept and await pg.is_free(connection, f"use {name}")
    return await pg.is_free(connection, run_lock(marker.run_id))


async def _remove(base: Base, *, name: str, marker: Marker) -> None:
    server = pg.Server(base.address, rules=base.rules)
    try:
        async with server.borrowed() as connection:
            foreign = marker.host != socket.gethostname()
            if foreign and await pg.rows(connection, pg.OTHERS, name):
                raise CannotIsolate(f"{name!r} is in use, so a run on {marker.host} may still be alive")
            await pg.drop(connection, name, marker=marker, server=server)
    finally:
        await server.close()

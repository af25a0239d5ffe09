"""A PostgreSQL server as leases use it: every statement quoted by the driver, every destruction proven first."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection, errors, sql
from psycopg.conninfo import make_conninfo

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.address import Address
from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.names import Marker, is_our_name, lock_number, read_marker
from e2e_orchestrator.model.safeguards import Safeguards, Target
from e2e_orchestrator.safety.guards import MARKER_TABLE, is_allowed, objection
from e2e_orchestrator.safety.words import is_local

_CONNECT_SECONDS = 10
_AT_ONCE = 8
_PATIENCE_SECONDS = 15.0
_LOOK_SECONDS = 0.005
# Below it copying block by block through the log is quicker than copying files between two checkpoints.
_FILE_COPY_FROM = 40 * 1024 * 1024
_STRATEGIES_SINCE = 150000
_PRISTINE = "template0"

Row = tuple[Any, ...]
Connection = AsyncConnection[Row]

OTHERS: LiteralString = """
    SELECT pid, state <> 'idle' AS works FROM pg_stat_activity
    WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


_OURS: LiteralString = """
    SELECT datname FROM pg_database WHERE starts_with(shobj_description(oid, 'pg_database'), 'e2e-orchestrator ')
"""


class Server:
    """Connections to its maintenance database, made when needed and given back."""

    def __init__(self, address: Address, *, rules: Safeguards) -> None:
        self.address, self._rules = address, rules
        self._idle: list[Connection] = []
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._maintenance = "postgres"

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[Connection]:
        """A connection in autocommit, not to any database that anybody cares for."""
        async with self._places:
            connection = self._idle.pop() if self._idle else await self.maintenance()
            try:
                yield connection
            except BaseException:
                await connection.close()
                raise
            self._idle.append(connection)

    async def maintenance(self) -> Connection:
        try:
            return await self.connect(self._maintenance)
        except errors.InvalidCatalogName:
            self._maintenance = "template1"
            return await self.connect(self._maintenance)

    async def connect(self, database: str) -> Connection:
        """Raises InfrastructureError if nobody answers, SafeguardRefused if the wrong host does."""
        _, _, rest = self.address.with_database(database).partition("://")
        try:
            conninfo = make_conninfo(
                f"postgresql://{rest}", connect_timeout=_CONNECT_SECONDS, application_name="e2e-orchestrator"
            )
            connection = await AsyncConnection.connect(conninfo, autocommit=True)
        except errors.InvalidCatalogName:
            raise
        except psycopg.OperationalError as error:
            if "does not exist" in str(error) and "database" in str(error):
                raise errors.InvalidCatalogName(str(error)) from None
            raise InfrastructureError(
                f"{self.address.server} does not answer: {one_line(error)}",
                hint="start it before the tests, as a service with a probe that waits for it",
            ) from None
        except psycopg.Error as error:
            raise InfrastructureError(
                f"the address of {self.address.server} is refused: {one_line(error)}"
            ) from None
        try:
            self.check_host(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    def check_host(self, connection: Connection) -> None:
        """Looks at where the connection really leads, after every variable and name was resolved."""
        host, found = connection.info.host, connection.info.hostaddr
        target = Target(host=host or None, database=self.address.database, user=connection.info.user)
        if why := objection(target, self._rules):
            raise SafeguardRefused(f"{self.address.server}: {why}")
        if not (is_local(host) and is_local(found)) and not is_allowed("host", target, self._rules):
            raise SafeguardRefused(f"the host {host!r} ({found}) is not this machine")

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()


async def rows(connection: Connection, query: LiteralString | sql.Composed, *values: Any) -> list[Row]:
    return await (await connection.execute(query, values)).fetchall()


async def marker_of(connection: Connection, name: str) -> Marker | None:
    """What stands in the comment of a database; None if it has none of ours, or if there is no such database."""
    found = await rows(
        connection, "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", name
    )
    return read_marker(found[0][0]) if found else None


async def ours(connection: Connection) -> list[str]:
    """The databases whose comment begins as a marker of ours does."""
    return [name for (name,) in await rows(connection, _OURS) if is_our_name(name)]


async def exists(connection: Connection, name: str) -> bool:
    return bool(await rows(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name))


async def prove(connection: Connection, name: str, *, marker: Marker, server: Server) -> None:
    """Raises SafeguardRefused unless the database is ours, asked in the connection that is to destroy it."""
    server.check_host(connection)
    found = await marker_of(connection, name)
    if not is_our_name(name) or found != marker:
        raise SafeguardRefused(
            f"the database {name!r} does not carry the marker of run {marker.run_id}: it stays as it is",
            hint="somebody else has made or renamed it; drop it by hand if nobody needs it",
        )


async def mark(connection: Connection, name: str, marker: Marker) -> None:
    await connection.execute(
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(str(marker)))
    )


async def seal(connection: Connection, name: str) -> None:
    """Nobody can connect any more, not even a superuser: so nobody stands in the way of a clone."""
    await connection.execute(
        sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
    )


async def rename(connection: Connection, name: str, new: str) -> None:
    await connection.execute(
        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new))
    )


async def empty(connection: Connection, name: str, *, polite: float = 0.0) -> None:
    """Ends whoever is connected: who idles at once, who works after ``polite`` seconds. Waits until all are gone."""
    began = time.monotonic()
    asked: set[int] = set()
    while others := await rows(connection, OTHERS, name):
        waited = time.monotonic() - began
        if waited > _PATIENCE_SECONDS:
            raise CannotIsolate(
                f"{len(others)} connections to the database {name!r} do not end",
                hint="stop what is connected to it, or what connects again and again",
            )
        for pid, works in others:
            if pid not in asked and (not works or waited >= polite):
                await _terminate(connection, pid)
                asked.add(pid)
        await asyncio.sleep(_LOOK_SECONDS)


async def _terminate(connection: Connection, pid: int) -> None:
    try:
        await connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    except errors.InsufficientPrivilege:
        role = sql.Identifier(connection.info.user).as_string(connection)
        raise CannotIsolate(
            "a connection of another role stands in the way and may not be ended",
            hint=f"GRANT pg_signal_backend TO {role};",
        ) from None


async def create(connection: Connection, name: str, *, template: str | None, size: int) -> None:
    """Of the server's own template if none is named. Raises CannotIsolate if it stays in use, or may not be copied."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            await connection.execute(_creation(connection, name, template=template, size=size))
        except errors.ObjectInUse:
            if template is None:  # Somebody is connected to template1; to this one nobody can be.
                template = _PRISTINE
                continue
            if template == _PRISTINE or time.monotonic() > until:
                raise CannotIsolate(
                    f"the database {template!r} is in use all the time, so it cannot be copied",
                    hint="stop what connects to it again and again while the tests run",
                ) from None
            await empty(connection, template)
        except errors.InsufficientPrivilege as error:
            raise CannotIsolate(one_line(error)) from None
        else:
            return


def _creation(connection: Connection, name: str, *, template: str | None, size: int) -> sql.Composed:
    words: list[sql.Composable] = [sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))]
    if template is not None:
        words.append(sql.SQL("TEMPLATE {}").format(sql.Identifier(template)))
        if connection.info.server_version >= _STRATEGIES_SINCE:
            copies_files = size >= _FILE_COPY_FROM
            words.append(sql.SQL("STRATEGY FILE_COPY" if copies_files else "STRATEGY WAL_LOG"))
    return sql.SQL(" ").join(words)


async def drop(connection: Connection, name: str, *, marker: Marker, server: Server) -> None:
    """Nothing happens if it is gone already."""
    if not await rows(connection, "SELECT 1 FROM pg_database WHERE datname = %s", name):
        return
    await prove(connection, name, marker=marker, server=server)
    await seal(connection, name)
    await empty(connection, name)
    await prove(connection, name, marker=marker, server=server)
    await connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


async def has_marker_table(server: Server, database: str) -> bool:
    connection = await server.connect(database)
    async with connection:
        found = await rows(connection, "SELECT to_regclass(%s)", MARKER_TABLE)
    return found[0][0] is not None


async def settings_of(connection: Connection, database: str) -> Sequence[tuple[str, str]]:
    """What ``ALTER DATABASE … SET`` said for everybody: a copy of the database does not have it."""
    found = await rows(
        connection,
        "SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database ON setdatabase = pg_database.oid "
        "WHERE datname = %s AND setrole = 0",
        database,
    )
    return [(key, value) for (one,) in found for key, _, value in [str(one).partition("=")]]


async def apply_settings(connection: Connection, name: str, settings: Sequence[tuple[str, str]]) -> None:
    """By way of the session, which alone takes a list of names as it is stored."""
    for key, value in settings:
        await connection.execute("SELECT set_config(%s, %s, false)", (key, value))
        parts = sql.SQL(".").join(sql.Identifier(part) for part in key.split("."))
        await connection.execute(
            sql.SQL("ALTER DATABASE {} SET {} FROM CURRENT").format(sql.Identifier(name), parts)
        )
        await connection.execute(sql.SQL("RESET {}").format(parts))


async def is_free(connection: Connection, text: str) -> bool:
    """Whether nobody holds this lock; it is not kept."""
    number = lock_number(text)
    found = await rows(connection, "SELECT pg_try_advisory_lock(%s)", number)
    if found[0][0]:
        await connection.execute("SELECT pg_advisory_unlock(%s)", (number,))
    return bool(found[0][0])


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())

"""Clones of a PostgreSQL database: one sealed template, and a copy of it for each slot."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import errors, sql

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation import postgres_server as pg
from e2e_orchestrator.isolation.driver import Base, CannotIsolate, World
from e2e_orchestrator.isolation.names import TEMPLATE, Marker, clone_name, lock_number, run_lock
from e2e_orchestrator.isolation.postgres_links import refuse_links
from e2e_orchestrator.isolation.schema_version import fingerprint, origin
from e2e_orchestrator.model.isolation import CopiedData
from e2e_orchestrator.safety.guards import is_test_database, require_test_database

_AT_ONCE = 8

# Without their rows a migration tool would start from the beginning, on a schema that is there already.
_BOOKKEEPING = (
    "alembic_version", "ar_internal_metadata", "databasechangelog", "databasechangeloglock", "django_migrations",
    "flyway_schema_history", "goose_db_version", "knex_migrations", "knex_migrations_lock", "schema_migrations",
    "_prisma_migrations", "_sqlx_migrations",
)  # fmt: skip

Result = TypeVar("Result")

_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema$)'
      AND c.relname <> ALL(%s)
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""

_DERIVED = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND c.relispopulated AND n.nspname !~ '^(pg_|information_schema$)'
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.oid
"""


class PostgresDriver:
    """See :class:`Driver`. Names of databases never reach a statement but through ``psycopg.sql``."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._name = base.address.database
        self._server = pg.Server(base.address, rules=base.rules)
        self._session: pg.Connection | None = None
        self._session_free = asyncio.Lock()
        self._markers: dict[str, Marker] = {}
        self._template: tuple[str, int] | None = None
        self._template_lock = asyncio.Lock()
        self._open = False
        self._settings: tuple[tuple[str, str], ...] = ()
        self._ongoing: set[asyncio.Task[Any]] = set()
        self._resets = 0
        self._aside: list[str] = []

    async def examine(self) -> None:
        try:
            async with self._server.borrowed() as connection:
                role = await self._check_role(connection)
                if not self._base.source.is_built:
                    await self._check_base(connection, role)
            await self._lock(run_lock(self._base.owner.run_id))
            await self._check_proof()
            if self._open:
                await self._links(self._name)
        except errors.InvalidCatalogName:
            raise InfrastructureError(
                f"{self._base.variable}: there is no database {self._name!r} at {self._base.address.server}",
                hint="create it before the run, or let `databases:` build it with `sql` or `migrate`",
            ) from None
        except psycopg.Error as error:
            raise InfrastructureError(f"{self._base.address.server}: {pg.one_line(error)}") from None

    async def _check_role(self, connection: pg.Connection) -> str:
        query = "SELECT rolname, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        [(role, may_create)] = await pg.rows(connection, query)
        if not may_create:
            quoted = sql.Identifier(role).as_string(connection)
            raise CannotIsolate(
                f"the role {role!r} may not create databases at {self._base.address.server}",
                hint=f"ALTER ROLE {quoted} CREATEDB;",
            )
        return str(role)

    async def _check_base(self, connection: pg.Connection, role: str) -> None:
        query = (
            "SELECT datdba::regrole::text, datistemplate OR pg_has_role(datdba, 'USAGE'), datallowconn "
            "FROM pg_database WHERE datname = %s"
        )
        found = await pg.rows(connection, query, self._name)
        if not found:
            raise errors.InvalidCatalogName
        [(owner, may_copy, self._open)] = found
        if not may_copy:
            quoted = sql.Identifier(role).as_string(connection)
            raise CannotIsolate(
                f"the role {role!r} may not copy the database {self._name!r}, which is {owner}'s",
                hint=f"GRANT {owner} TO {quoted};",
            )
        self._settings = tuple(await pg.settings_of(connection, self._name))

    async def _check_proof(self) -> None:
        known = self._base.source.is_built or is_test_database(self._name)
        marked = known or await pg.has_marker_table(self._server, self._name)
        for target in self._base.address.targets:
            require_test_database(target, what=self._base.variable, rules=self._base.rules, marked=marked)

    async def _links(self, name: str) -> Sequence[str]:
        """Raises CannotIsolate if a copy of this database would lead back to its base."""
        truncates = self._base.data is CopiedData.NONE
        async with await self._server.connect(name) as connection:
            return await refuse_links(connection, base=self._name, truncates=truncates)

    async def make(self, slot: int) -> World:
        name = self._base.name(slot)
        await self._clone(name)
        return self._world(name)

    async def reset(self, slot: int) -> World:
        """Puts the old one aside under another name, so that nobody waits for its end."""
        name = self._base.name(slot)
        self._resets += 1
        await self._whole(self._put_aside(name, self._base.name(f"{slot}_x{self._resets}")))
        if len(self._aside) >= _AT_ONCE:
            self._drop_aside()
        await self._clone(name)
        return self._world(name)

    async def release(self, slot: int) -> None:
        self._drop_aside()
        await self._whole(self._drop(self._base.name(slot)))

    def _drop_aside(self) -> None:
        """Many at a time: each DROP waits for a checkpoint, and those that wait together share one."""
        doomed, self._aside = self._aside, []
        for name in doomed:
            self._start(self._drop(name))

    async def close(self) -> None:
        """Everything at once, whatever else is being removed: all share a checkpoint."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._server.close)
            if self._session:
                stack.push_async_callback(self._session.close)
            await self._finish()
            for name in self._markers:
                self._start(self._drop(name))
            await self._finish()
        if self._markers:
            raise InfrastructureError(f"{', '.join(self._markers)} could not be removed")

    def _world(self, name: str) -> World:
        return World(name=name, environment={self._base.variable: self._base.address.with_database(name)})

    async def _clone(self, name: str) -> None:
        template, size = await self._sealed_template()
        await self._whole(self._create(name, template=template, size=size, kind="clone"))

    async def _create(self, name: str, *, template: str | None, size: int, kind: str) -> None:
        marker = self._base.owner.marker(kind)
        async with self._server.borrowed() as connection:
            try:
                await pg.create(connection, name, template=template, size=size)
            except errors.DuplicateDatabase:
                raise InfrastructureError(
                    f"there is a database {name!r} already, and it is not ours"
                ) from None
            await pg.mark(connection, name, marker)
            self._markers[name] = marker
            await pg.apply_settings(connection, name, self._settings)

    async def _put_aside(self, name: str, aside: str) -> None:
        marker = self._markers[name]
        async with self._server.borrowed() as connection:
            await pg.prove(connection, name, marker=marker, server=self._server)
            await pg.seal(connection, name)
            await pg.empty(connection, name)
            await pg.prove(connection, name, marker=marker, server=self._server)
            await pg.rename(connection, name, aside)
        self._markers[aside] = self._markers.pop(name)
        self._aside.append(aside)

    async def _drop(self, name: str) -> None:
        if marker := self._markers.pop(name, None):
            try:
                async with self._server.borrowed() as connection:
                    await pg.drop(connection, name, marker=marker, server=self._server)
            except BaseException:
                self._markers[name] = marker
                raise

    async def _sealed_template(self) -> tuple[str, int]:
        """Its name and its size in bytes; made once, by whoever comes first."""
        async with self._template_lock:
            if self._template is None:
                version = await self._version()
                kept = await self._kept_template(version) if version else None
                self._template = kept or await self._own_template()
            return self._template

    async def _version(self) -> str | None:
        async with self._server.borrowed() as connection:
            return fingerprint(self._base, server=str(connection.info.server_version))

    async def _own_template(self) -> tuple[str, int]:
        name = self._base.name(TEMPLATE)
        return await self._whole(self._build(name, self._base.owner.marker(TEMPLATE)))

    async def _kept_template(self, version: str) -> tuple[str, int] | None:
        """One that an earlier run has made, or another makes right now, if the schema is the same.

        None if its name is somebody else's.
        """
        name = clone_name(self._name, run_id=version, part=TEMPLATE)
        source = origin(self._base)
        await self._lock(f"use {name}")  # From here on nobody removes it.
        async with self._server.borrowed() as connection:
            number = lock_number(f"make {name}")
            await connection.execute("SELECT pg_advisory_lock(%s)", (number,))
            try:
                found = await pg.marker_of(connection, name)
                if not (found and found.sealed):
                    if found:
                        await pg.drop(connection, name, marker=found, server=self._server)
                    elif await pg.exists(connection, name):  # Whoever makes it would hold the lock.
                        await self._base.tell_of_stranger(name, remove=f'DROP DATABASE "{name}";')
                        return None
                    await self._build(name, self._base.owner.marker("kept", source=source))
                    self._markers.pop(name)  # It is to outlive us.
                await self._drop_outdated(connection, name, source)
            finally:
                await connection.execute("SELECT pg_advisory_unlock(%s)", (number,))
            return name, await self._size(connection, name)

    async def _drop_outdated(self, connection: pg.Connection, name: str, source: str) -> None:
        for other in await pg.ours(connection):
            marker = await pg.marker_of(connection, other)
            outdated = marker and marker.kind == "kept" and marker.source == source and other != name
            if marker and outdated and await pg.is_free(connection, f"use {other}"):
                await pg.drop(connection, other, marker=marker, server=self._server)

    async def _build(self, name: str, marker: Marker) -> tuple[str, int]:
        """A database that nobody can connect to, marked as sealed once it is complete; gone if it is not."""
        base, built = self._base, self._base.source.is_built
        async with self._server.borrowed() as connection:
            size = 0 if built else await self._size(connection, self._name)
            if not built:
                await pg.empty(connection, self._name, polite=2.0)
            await pg.create(connection, name, template=None if built else self._name, size=size)
            await pg.mark(connection, name, marker)
            self._markers[name] = marker
        try:
            await self._fill(name, marker)
        except BaseException:
            await self._drop(name)  # Whoever wants it next begins anew.
            raise
        async with self._server.borrowed() as connection:
            await pg.seal(connection, name)
            await pg.empty(connection, name)
            sealed = base.owner.marker(marker.kind, sealed=True, source=marker.source)
            await pg.mark(connection, name, sealed)
            self._markers[name] = sealed
            return name, await self._size(connection, name)

    async def _fill(self, name: str, marker: Marker) -> None:
        base = self._base
        if base.source.sql:
            await self._load(name, Path(base.source.sql))
        if base.source.migrate:
            await base.migrate(base.source, base.address.with_database(name))
        if elsewhere := await self._links(name):
            await base.warn(f"{base.variable}: {', '.join(elsewhere)}: what that leads to all slots share")
        if base.data is CopiedData.NONE:
            await self._truncate(name, marker)

    async def _load(self, name: str, file: Path) -> None:
        async with await self._server.connect(name) as connection:
            try:
                await connection.execute(await asyncio.to_thread(file.read_bytes))
            except (psycopg.Error, OSError) as error:
                raise InfrastructureError(f"{file} cannot be loaded: {pg.one_line(error)}") from None

    async def _truncate(self, name: str, marker: Marker) -> None:
        """Empties all tables of a copy that is ours; what extensions and migration tools need stays."""
        async with await self._server.connect(name) as connection:
            tables = await pg.rows(connection, _TABLES, list(_BOOKKEEPING))
            await pg.prove(connection, name, marker=marker, server=self._server)
            [(current,)] = await pg.rows(connection, "SELECT current_database()")
            if current != name or current == self._name:
                raise InfrastructureError(f"connected to {current!r} instead of {name!r}")
            if tables:
                names = sql.SQL(", ").join(sql.Identifier(schema, table) for schema, table in tables)
                await connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
            await _derive_anew(connection)

    async def _size(self, connection: pg.Connection, name: str) -> int:
        return int((await pg.rows(connection, "SELECT pg_database_size(%s::name)", name))[0][0])

    async def _lock(self, text: str) -> None:
        """Shared, until the session ends: others that try to have it alone see that we live."""
        async with self._session_free:
            self._session = self._session or await self._server.maintenance()
            await self._session.execute("SELECT pg_advisory_lock_shared(%s)", (lock_number(text),))

    async def _whole(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Not cut in two by a run that is cancelled: what exists is known, and so removed at the end."""
        return await asyncio.shield(self._start(work))

    def _start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(work)
        self._ongoing.add(task)
        return task

    async def _finish(self) -> None:
        """Waits for what goes on in the background; what failed there is tried again when all is removed."""
        while self._ongoing:
            done, self._ongoing = self._ongoing, set()
            await asyncio.gather(*done, return_exceptions=True)


async def _derive_anew(connection: pg.Connection) -> None:
    """Materialized views have rows of their own. One may need another: all are emptied, then filled as they can be."""
    found = await pg.rows(connection, _DERIVED)
    left = [sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(*name)) for name in found]
    for statement in left:
        await connection.execute(statement + sql.SQL(" WITH NO DATA"))
    while left:
        refused: list[sql.Composed] = []
        for statement in left:
            try:
                await connection.execute(statement)
            except psycopg.Error as error:
                refused.append(statement)
                why = pg.one_line(error)
        if len(refused) == len(left):
            raise InfrastructureError(f"a materialized view cannot be filled from empty tables: {why}")
        left = refused

"""Clones of a MySQL or MariaDB database: its schema built again, its rows copied. In threads: PyMySQL blocks."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation import mysql_kept as templates
from e2e_orchestrator.isolation.driver import Base, CannotIsolate, Dead, Orphan, World
from e2e_orchestrator.isolation.mysql_definitions import names_database
from e2e_orchestrator.isolation.mysql_schema import Schema, bookkeeping, build, copy_rows, read_schema
from e2e_orchestrator.isolation.mysql_server import DeniedError, Server, quoted
from e2e_orchestrator.isolation.names import TEMPLATE, Marker, clone_name, run_lock
from e2e_orchestrator.isolation.schema_version import fingerprint, origin
from e2e_orchestrator.model.isolation import CopiedData
from e2e_orchestrator.safety.guards import MARKER_TABLE, require_test_database

Result = TypeVar("Result")


class MysqlDriver:
    """See :class:`Driver`. Nothing on these servers copies a database, so one of ours is the template, built again by us."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._name = base.address.database
        self._session: Server | None = None
        self._idle: list[Server] = []
        self._guard = Lock()
        self._template: str | None = None
        self._schema: Schema | None = None
        self._building = asyncio.Lock()
        self._markers: dict[str, Marker] = {}
        self._ongoing: set[asyncio.Task[object]] = set()

    async def examine(self) -> None:
        await self._whole(self._examine)

    async def make(self, slot: int) -> World:
        template, schema = await self._sealed_template()
        return await self._whole(lambda: self._clone(slot, schema, template=template))

    async def reset(self, slot: int) -> World:
        return await self.make(slot)

    async def release(self, slot: int) -> None:
        await self._whole(lambda: self._drop(self._base.name(slot)))

    async def close(self) -> None:
        await asyncio.gather(*self._ongoing, return_exceptions=True)
        await asyncio.to_thread(self._close)

    async def _whole(self, work: Callable[[], Result]) -> Result:
        """A thread cannot be cancelled: who stops waiting for it must not forget it."""
        task = asyncio.create_task(asyncio.to_thread(work))
        self._ongoing.add(task)
        task.add_done_callback(self._ongoing.discard)
        return await asyncio.shield(task)

    async def _to_its_end(self, work: Callable[[], Result]) -> Result:
        """Also when cancelled: the session is for one thread at a time, and what needs a lock ends before the lock."""
        task = asyncio.ensure_future(self._whole(work))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
            raise

    @contextmanager
    def _server(self) -> Iterator[Server]:
        with self._guard:
            idle = self._idle.pop() if self._idle else None
        server = idle or Server.connect(self._base.address, rules=self._base.rules)
        try:
            yield server
        except BaseException:
            server.close()
            raise
        with self._guard:
            self._idle.append(server)

    def _examine(self) -> None:
        """Making and dropping an empty database asks for the rights better than reading grants does."""
        self._session = Server.connect(self._base.address, rules=self._base.rules)
        self._session.hold(run_lock(self._base.owner.run_id))
        with self._server() as server:
            if not self._base.source.is_built and not server.exists(self._name):
                raise InfrastructureError(
                    f"{self._base.variable}: there is no database {self._name!r} at {self._base.address.server}",
                    hint="create it before the run, or let `databases:` build it with `sql` or `migrate`",
                )
            query = "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"
            marked = self._base.source.is_built or bool(server.run(query, self._name, MARKER_TABLE))
            for target in self._base.address.targets:
                require_test_database(target, what=self._base.variable, rules=self._base.rules, marked=marked)
            probe = self._base.name("probe")
            self._create(server, probe, kind="clone")
            self._remove(server, probe)
            if not self._base.source.is_built:
                self._require_readable(server)

    def _require_readable(self, server: Server) -> None:
        """What can be created need not be one that can be copied: said before any test has started."""
        try:
            read_schema(server, self._name, original=self._name)
        except DeniedError as error:
            grant = f"GRANT SELECT, SHOW VIEW, TRIGGER ON {quoted(self._name)}.* TO {error.account};"
            raise CannotIsolate(error.message, hint=grant) from None

    async def _sealed_template(self) -> tuple[str, Schema]:
        """Its name and what is in it; made once, by whoever comes first."""
        async with self._building:
            if self._template is None or self._schema is None:
                version = await self._whole(self._version)
                kept = await self._kept_template(version) if version else None
                self._template = kept or await self._build(self._base.name(TEMPLATE), kind=TEMPLATE)
                self._schema = await self._whole(partial(self._read, self._template))
            return self._template, self._schema

    def _version(self) -> str | None:
        with self._server() as server:
            return fingerprint(self._base, server=server.version)

    async def _kept_template(self, version: str) -> str | None:
        """One that an earlier run has made, or another makes right now, if the schema is the same.

        None if more runs use it than can at once, or if its name is somebody else's.
        """
        name = clone_name(self._name, run_id=version, part=TEMPLATE)
        session = self._session
        if session is None or not await self._to_its_end(partial(templates.take_place, session, name)):
            return None
        try:
            while not await self._to_its_end(partial(session.hold, templates.making(name), wait=1)):
                pass  # Asked again each second, so that a run that is cancelled need not wait for another's build.
            if not await self._to_its_end(partial(self._is_there, name)):
                if await self._to_its_end(partial(self._is_taken, name)):
                    await self._base.tell_of_stranger(name, remove=f"DROP DATABASE `{name}`;")
                    return None
                await self._build(name, kind=templates.KIND)
                self._markers.pop(name)  # It is to outlive us.
        finally:  # Of a lock that is not held this is nothing.
            await self._to_its_end(partial(session.let_go, templates.making(name)))
        return name

    def _is_there(self, name: str) -> bool:
        """A template that is complete; half of one goes, and so do those of an older schema."""
        with self._server() as server:
            templates.drop_outdated(server, name, origin(self._base))
            found = server.marker_of(name)
            if found and not found.sealed:
                server.drop(name, marker=found)
            return bool(found and found.sealed)

    def _is_taken(self, name: str) -> bool:
        """Nobody of ours is about to mark it: that one would hold the lock of whoever makes it."""
        with self._server() as server:
            return server.exists(name)

    async def _build(self, name: str, *, kind: str) -> str:
        """A database with what clones are made of, marked as sealed once it is complete; gone if it is not."""
        source = self._base.source
        try:
            await self._whole(partial(self._begin if source.is_built else self._copy_base, name, kind=kind))
            if source.migrate:
                await self._base.migrate(source, self._base.address.with_database(name))
            await self._whole(partial(self._seal, name))
        except BaseException:
            await asyncio.gather(
                *self._ongoing, return_exceptions=True
            )  # What was cancelled goes on until here.
            await self._whole(partial(self._drop, name))  # Whoever wants it next begins anew.
            raise
        return name

    def _begin(self, name: str, *, kind: str) -> None:
        file = self._base.source.sql
        with self._server() as server:
            self._create(server, name, kind=kind)
        if file:
            loading = Server.connect(self._base.address, rules=self._base.rules, several=True)
            try:
                loading.use(name)
                loading.run_all(self._statements(Path(file)))
            except (InfrastructureError, OSError, UnicodeError) as error:
                raise InfrastructureError(f"{file} cannot be loaded: {error}") from None
            finally:
                loading.close()

    def _statements(self, file: Path) -> str:
        """Such as a dump writes with ``--databases``: they would be run in the database that they name."""
        statements = file.read_text(encoding="utf-8")
        if names_database(statements, self._name):
            raise InfrastructureError(
                f"it names the database {self._name!r}, and what is built has another name; leave it out"
            )
        return statements

    def _copy_base(self, name: str, *, kind: str) -> None:
        with self._server() as server:
            schema = read_schema(server, self._name, original=self._name)
            self._create(server, name, kind=kind)
            self._fill(server, name, schema, source=self._name)

    def _seal(self, name: str) -> None:
        marker = replace(self._markers[name], sealed=True)
        with self._server() as server:
            server.mark(name, marker)
            self._markers[name] = marker

    def _read(self, name: str) -> Schema:
        with self._server() as server:
            return read_schema(server, name, original=self._name)

    def _clone(self, slot: int, schema: Schema, *, template: str) -> World:
        name = self._base.name(slot)
        with self._server() as server:
            self._remove(server, name)
            self._create(server, name, kind="clone")
            self._fill(server, name, schema, source=template)
        return World(name=name, environment={self._base.variable: self._base.address.with_database(name)})

    def _fill(self, server: Server, name: str, schema: Schema, *, source: str) -> None:
        copies = self._base.data is CopiedData.COPY
        build(server, name, schema, rows_of=source if copies else None)
        if not copies:
            for table in bookkeeping(schema):
                copy_rows(server, table, schema.columns[table], source=source, target=name)

    def _create(self, server: Server, name: str, *, kind: str) -> None:
        if server.exists(name):
            raise InfrastructureError(
                f"there is a database {name!r} already, and it does not say that it is ours: a run that was killed "
                f"may have left it. If nobody needs it: DROP DATABASE `{name}`;"
            )
        marker = self._base.owner.marker(kind, source=origin(self._base) if kind == templates.KIND else "")
        self._markers[name] = marker
        server.create(name, marker=marker, like=self._name)

    def _remove(self, server: Server, name: str) -> None:
        if marker := self._markers.get(name):
            server.drop(name, marker=marker)
            self._markers.pop(name, None)

    def _drop(self, name: str) -> None:
        with self._server() as server:
            self._remove(server, name)

    def _close(self) -> None:
        try:
            for name in list(self._markers):
                self._drop(name)
        finally:
            for server in (*self._idle, *([self._session] if self._session else [])):
                server.close()


async def orphans(base: Base, *, dead: Dead, kept: bool = False) -> list[Orphan]:
    """What runs left on the server that hold no lock there any more and are ``dead``.

    With ``kept``, also complete templates that no run uses.
    """

    def look() -> list[tuple[str, Marker]]:
        server = Server.connect(base.address, rules=base.rules)
        try:
            return [
                (name, marker)
                for name, marker in server.ours()
                if dead(marker) and _is_left(server, name, marker, kept=kept)
            ]
        finally:
            server.close()

    return [
        Orphan(
            name=name,
            where=base.address.server,
            run_id=marker.run_id,
            remove=partial(asyncio.to_thread, _remove, base, name, marker),
        )
        for name, marker in await asyncio.to_thread(look)
    ]


def _is_left(server: Server, name: str, marker: Marker, *, kept: bool) -> bool:
    if marker.kind == templates.KIND and marker.sealed:
        return kept and not templates.is_used(server, name)
    return server.are_free([run_lock(marker.run_id)])


def _remove(base: Base, name: str, marker: Marker) -> None:
    server = Server.connect(base.address, rules=base.rules)
    try:
        if marker.kind != templates.KIND:
            server.drop(name, marker=marker)
        elif not templates.drop_unused(server, name, marker):
            raise CannotIsolate(f"{name!r} is in use: a run has begun to make clones of it")
    finally:
        server.close()

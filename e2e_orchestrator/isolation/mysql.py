"""Clones of a MySQL or MariaDB database: its schema built again, its rows copied. In threads: PyMySQL blocks."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.driver import Base, Dead, Orphan, World
from e2e_orchestrator.isolation.mysql_schema import Schema, bookkeeping, build, copy_rows, read_schema
from e2e_orchestrator.isolation.mysql_server import Server
from e2e_orchestrator.isolation.names import TEMPLATE, Marker
from e2e_orchestrator.model.isolation import CopiedData
from e2e_orchestrator.safety.guards import MARKER_TABLE, require_test_database

Result = TypeVar("Result")


class MysqlDriver:
    """See :class:`Driver`. There is nothing like a template on these servers, so a clone of ours stands in for it."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._name = base.address.database
        self._session: Server | None = None
        self._idle: list[Server] = []
        self._guard = Lock()
        self._schema: Schema | None = None
        self._building = asyncio.Lock()
        self._markers: dict[str, Marker] = {}
        self._ongoing: set[asyncio.Task[object]] = set()

    async def examine(self) -> None:
        await self._whole(self._examine)

    async def make(self, slot: int) -> World:
        schema = await self._template()
        return await self._whole(lambda: self._clone(slot, schema))

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
        self._session.hold(self._base.owner.run_id)
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

    async def _template(self) -> Schema:
        async with self._building:
            if self._schema is not None:
                return self._schema
            try:
                await self._build()
            except BaseException:
                # Whoever wants it next begins anew.
                await self._whole(lambda: self._drop(self._base.name(TEMPLATE)))
                raise
            self._schema = await self._whole(self._read)
            return self._schema

    async def _build(self) -> None:
        source = self._base.source
        if not source.is_built:
            await self._whole(self._copy_base)
            return
        await self._whole(self._begin)
        if source.migrate:
            await self._base.migrate(source, self._base.address.with_database(self._base.name(TEMPLATE)))

    def _begin(self) -> None:
        name, file = self._base.name(TEMPLATE), self._base.source.sql
        with self._server() as server:
            self._create(server, name, kind=TEMPLATE)
        if file:
            loading = Server.connect(self._base.address, rules=self._base.rules, several=True)
            try:
                loading.use(name)
                loading.run_all(Path(file).read_text(encoding="utf-8"))
            except (InfrastructureError, OSError, UnicodeError) as error:
                raise InfrastructureError(f"{file} cannot be loaded: {error}") from None
            finally:
                loading.close()

    def _copy_base(self) -> None:
        name = self._base.name(TEMPLATE)
        with self._server() as server:
            schema = read_schema(server, self._name)
            self._create(server, name, kind=TEMPLATE)
            self._fill(server, name, schema, source=self._name)

    def _read(self) -> Schema:
        with self._server() as server:
            return read_schema(server, self._base.name(TEMPLATE))

    def _clone(self, slot: int, schema: Schema) -> World:
        name = self._base.name(slot)
        with self._server() as server:
            self._remove(server, name)
            self._create(server, name, kind="clone")
            self._fill(server, name, schema, source=self._base.name(TEMPLATE))
        return World(name=name, environment={self._base.variable: self._base.address.with_database(name)})

    def _fill(self, server: Server, name: str, schema: Schema, *, source: str) -> None:
        copies = self._base.data is CopiedData.COPY
        build(server, name, schema, rows_of=source if copies else None)
        if not copies:
            for table in bookkeeping(schema):
                copy_rows(server, table, schema.columns[table], source=source, target=name)

    def _create(self, server: Server, name: str, *, kind: str) -> None:
        if server.exists(name):
            raise InfrastructureError(f"there is a database {name!r} already, and it is not ours")
        marker = self._base.owner.marker(kind)
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


async def orphans(base: Base, *, dead: Dead, kept: bool = False) -> list[Orphan]:  # noqa: ARG001 - keeps none.
    """What runs left on the server that hold no lock there any more and are ``dead``."""

    def look() -> list[tuple[str, Marker]]:
        server = Server.connect(base.address, rules=base.rules)
        try:
            return [
                (name, marker)
                for name, marker in server.ours()
                if dead(marker) and server.is_free(marker.run_id)
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


def _remove(base: Base, name: str, marker: Marker) -> None:
    server = Server.connect(base.address, rules=base.rules)
    try:
        server.drop(name, marker=marker)
    finally:
        server.close()

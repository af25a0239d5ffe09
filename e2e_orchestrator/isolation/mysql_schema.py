"""The schema of a MySQL or MariaDB database as statements that build it again elsewhere, and its rows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.mysql_definitions import Definition, Kind, define
from e2e_orchestrator.isolation.mysql_server import Server, quoted

_DEFINER = re.compile(r"\bDEFINER\s*=\s*(?:`(?:[^`]|``)*`|[^\s@`]+)@(?:`(?:[^`]|``)*`|[^\s`]+)\s*")
_COUNTER = re.compile(r" AUTO_INCREMENT=[0-9]+")
_ENGINES = frozenset(
    {"archive", "aria", "blackhole", "columnstore", "csv", "innodb", "memory", "myisam", "ndbcluster", "rocksdb",
     "tokudb"}
)  # fmt: skip
"""Those whose tables have their rows to themselves; others pass them on, some to a table on another server."""

_BOOKKEEPING = frozenset(
    {"alembic_version", "databasechangelog", "django_migrations", "flyway_schema_history", "knex_migrations",
     "schema_migrations", "_prisma_migrations"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """In the order in which it is built; ``columns`` of each table are those that can be written."""

    sequences: dict[str, Definition] = field(hash=False)
    routines: tuple[Definition, ...]
    tables: tuple[Definition, ...]
    columns: dict[str, tuple[str, ...]] = field(hash=False)
    views: tuple[Definition, ...] = ()
    triggers: tuple[Definition, ...] = ()


def read_schema(server: Server, database: str, *, original: str) -> Schema:
    """Reads only; what names ``database`` or its ``original`` is going to name what is built of it.

    Raises CannotIsolate for what may not be read, or might name them in a way that nobody sees.
    """
    reader = _Reader(server=server, database=database, names=tuple(dict.fromkeys((database, original))))
    server.use(database)
    server.run("SET SESSION sql_mode = '', sql_quote_show_create = 1")  # As definitions are taken apart.
    found = server.run(
        "SELECT table_name, table_type, engine FROM information_schema.tables WHERE table_schema = %s ORDER BY 1",
        database,
    )
    of_kind: dict[str, list[str]] = {}
    for name, kind, engine in found:
        if not server.is_own_table(str(name)):
            reader.require_rows_of_its_own(str(name), engine)
            of_kind.setdefault(str(kind), []).append(str(name))
    names = [name for kind in ("BASE TABLE", "SYSTEM VERSIONED") for name in of_kind.get(kind, [])]
    return Schema(
        sequences={name: reader.shown("SEQUENCE", name) for name in of_kind.get("SEQUENCE", [])},
        routines=tuple(reader.routines()),
        tables=tuple(reader.shown("TABLE", name) for name in names),
        columns={name: reader.columns(name) for name in names},
        views=tuple(reader.shown("VIEW", name) for name in of_kind.get("VIEW", [])),
        triggers=tuple(reader.triggers()),
    )


def build(server: Server, database: str, schema: Schema, *, rows_of: str | None) -> None:
    """Builds the schema in an empty database; with the rows of another one that has the same schema.

    Triggers come last, so that they do not see the rows arrive. Sequences come first, as tables may need
    them, and are moved on after the rows: whatever number a row has is behind them then.
    """
    server.use(database)
    server.run("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
    here = quoted(database)
    for sequence in schema.sequences.values():
        server.run(sequence.within(here))
    for table in schema.tables:
        statement = table.within(here)
        server.run(statement if rows_of else _COUNTER.sub("", statement))
    for routine in schema.routines:
        _program(server, routine, here)
    if rows_of:
        server.run("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
        for name, columns in schema.columns.items():
            copy_rows(server, name, columns, source=rows_of, target=database)
        for name in schema.sequences:
            _move_on(server, name, source=rows_of, target=database)
    _build_views(server, [view.within(here) for view in schema.views])
    for trigger in schema.triggers:
        _program(server, trigger, here)


def copy_rows(server: Server, table: str, columns: tuple[str, ...], *, source: str, target: str) -> None:
    names = ", ".join(map(quoted, columns))
    server.run(
        f"INSERT INTO {quoted(target)}.{quoted(table)} ({names}) "  # noqa: S608 - quoted.
        f"SELECT {names} FROM {quoted(source)}.{quoted(table)}"
    )


def bookkeeping(schema: Schema) -> Iterator[str]:
    """Tables whose rows are part of the schema: a migration tool would begin anew without them."""
    return (table for table in schema.columns if table in _BOOKKEEPING)


def _move_on(server: Server, sequence: str, *, source: str, target: str) -> None:
    """To the first number that the other has not set aside for its cache.

    How many of those it has handed out only ``NEXTVAL`` would tell, which writes.
    """
    there, here = (f"{quoted(database)}.{quoted(sequence)}" for database in (source, target))
    server.run(f"INSERT INTO {here} SELECT * FROM {there}")  # noqa: S608 - quoted.


def _build_views(server: Server, views: Sequence[str]) -> None:
    """One may need another: again and again, as long as any can be built."""
    left = list(views)
    while left:
        refused: list[str] = []
        why: InfrastructureError | None = None
        for view in left:
            try:
                server.run(view)
            except InfrastructureError as error:
                refused.append(view)
                why = error
        if why and len(refused) == len(left):
            raise InfrastructureError(f"a view cannot be built again: {why.message}")
        left = refused


def _program(server: Server, program: Definition, database: str) -> None:
    server.run("SET SESSION sql_mode = %s", program.mode)
    server.run(program.within(database))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """The definitions of one database; those that mean one of ``names`` mean the database that is read."""

    server: Server
    database: str
    names: tuple[str, ...]

    def require_rows_of_its_own(self, table: str, engine: object) -> None:
        if engine is not None and str(engine).lower() not in _ENGINES:
            raise CannotIsolate(
                f"the table {table!r} of {self.database!r} is kept by the engine {engine}, "
                f"whose rows may be those of another table"
            )

    def shown(self, what: str, name: str) -> Definition:
        statement = str(self.server.run(f"SHOW CREATE {what} {quoted(name)}")[0][1])
        if what != "VIEW":
            return self._defined(what, name, statement, kind=Kind.DATA)
        return self._defined(what, name, _without_definer(statement), kind=Kind.VIEW)

    def columns(self, table: str) -> tuple[str, ...]:
        found = self.server.run(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
            "AND extra NOT LIKE '%%GENERATED%%' ORDER BY ordinal_position",
            self.database,
            table,
        )
        return tuple(str(name) for (name,) in found)

    def routines(self) -> Iterator[Definition]:
        """Functions first: procedures may call them."""
        found = self.server.run(
            "SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = %s "
            "AND routine_type IN ('FUNCTION', 'PROCEDURE') ORDER BY 1, 2",
            self.database,
        )
        for what, name in found:
            yield self._program(str(what), str(name))

    def triggers(self) -> Iterator[Definition]:
        found = self.server.run(
            "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s "
            "ORDER BY event_object_table, action_timing, event_manipulation, action_order",
            self.database,
        )
        for (name,) in found:
            yield self._program("TRIGGER", str(name))

    def _program(self, what: str, name: str) -> Definition:
        _, mode, statement, *_ = self.server.run(f"SHOW CREATE {what} {quoted(name)}")[0]
        if statement is None:
            raise CannotIsolate(
                f"the {what.lower()} {name!r} of {self.database!r} may not be read",
                hint="GRANT SELECT ON mysql.proc (MariaDB), or GRANT SHOW_ROUTINE ON *.* (MySQL)",
            )
        return self._defined(what, name, _without_definer(str(statement)), kind=Kind.PROGRAM, mode=str(mode))

    def _defined(self, what: str, name: str, statement: str, *, kind: Kind, mode: str = "") -> Definition:
        told = f"the {what.lower()} {name!r} of {self.database!r}"
        return define(told, statement, names=self.names, kind=kind, mode=mode)


def _without_definer(statement: str) -> str:
    """Whoever makes the clone owns it: to name another takes rights that tests should not have."""
    return _DEFINER.sub("", statement, count=1)

"""The schema of a MySQL or MariaDB database as statements that build it again elsewhere, and its rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.mysql_server import Server, quoted

_DEFINER = re.compile(r"\bDEFINER\s*=\s*(?:`(?:[^`]|``)*`|[^\s@`]+)@(?:`(?:[^`]|``)*`|[^\s`]+)\s*")
_COUNTER = re.compile(r" AUTO_INCREMENT=[0-9]+")
_BOOKKEEPING = frozenset(
    {"alembic_version", "databasechangelog", "django_migrations", "flyway_schema_history", "knex_migrations",
     "schema_migrations", "_prisma_migrations"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A statement that makes something, in the SQL mode in which it was written."""

    mode: str
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """In the order in which it is built; ``columns`` of each table are those that can be written."""

    sequences: tuple[str, ...]
    routines: tuple[Program, ...]
    tables: tuple[str, ...]
    columns: dict[str, tuple[str, ...]] = field(hash=False)
    views: tuple[str, ...] = ()
    triggers: tuple[Program, ...] = ()


def read_schema(server: Server, database: str) -> Schema:
    """Reads only. Raises InfrastructureError for what may not be read."""
    server.use(database)
    found = server.run(
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = %s ORDER BY 1",
        database,
    )
    of_kind: dict[str, list[str]] = {}
    for name, kind in found:
        if not server.is_own_table(str(name)):
            of_kind.setdefault(str(kind), []).append(str(name))
    names = [name for kind in ("BASE TABLE", "SYSTEM VERSIONED") for name in of_kind.get(kind, [])]
    return Schema(
        sequences=tuple(_shown(server, "SEQUENCE", name) for name in of_kind.get("SEQUENCE", [])),
        routines=tuple(_routines(server, database)),
        tables=tuple(_shown(server, "TABLE", name) for name in names),
        columns={name: _columns(server, database, name) for name in names},
        views=tuple(_without_definer(_shown(server, "VIEW", name)) for name in of_kind.get("VIEW", [])),
        triggers=tuple(_triggers(server, database)),
    )


def build(server: Server, database: str, schema: Schema, *, rows_of: str | None) -> None:
    """Builds the schema in an empty database; with the rows of another one that has the same schema.

    Triggers come last, so that they do not see the rows arrive.
    """
    server.use(database)
    server.run("SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
    for statement in schema.sequences:
        server.run(statement)
    for statement in schema.tables:
        server.run(statement if rows_of else _COUNTER.sub("", statement))
    for routine in schema.routines:
        _program(server, routine)
    if rows_of:
        server.run("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
        for table, columns in schema.columns.items():
            copy_rows(server, table, columns, source=rows_of, target=database)
    _build_views(server, schema.views)
    for trigger in schema.triggers:
        _program(server, trigger)


def copy_rows(server: Server, table: str, columns: tuple[str, ...], *, source: str, target: str) -> None:
    names = ", ".join(map(quoted, columns))
    server.run(
        f"INSERT INTO {quoted(target)}.{quoted(table)} ({names}) "  # noqa: S608 - quoted.
        f"SELECT {names} FROM {quoted(source)}.{quoted(table)}"
    )


def bookkeeping(schema: Schema) -> Iterator[str]:
    """Tables whose rows are part of the schema: a migration tool would begin anew without them."""
    return (table for table in schema.columns if table in _BOOKKEEPING)


def _build_views(server: Server, views: tuple[str, ...]) -> None:
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


def _program(server: Server, program: Program) -> None:
    server.run("SET SESSION sql_mode = %s", program.mode)
    server.run(program.statement)


def _shown(server: Server, kind: str, name: str) -> str:
    return str(server.run(f"SHOW CREATE {kind} {quoted(name)}")[0][1])


def _columns(server: Server, database: str, table: str) -> tuple[str, ...]:
    found = server.run(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
        "AND extra NOT LIKE '%%GENERATED%%' ORDER BY ordinal_position",
        database,
        table,
    )
    return tuple(str(name) for (name,) in found)


def _routines(server: Server, database: str) -> Iterator[Program]:
    """Functions first: procedures may call them."""
    found = server.run(
        "SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = %s "
        "AND routine_type IN ('FUNCTION', 'PROCEDURE') ORDER BY 1, 2",
        database,
    )
    for kind, name in found:
        _, mode, statement, *_ = server.run(f"SHOW CREATE {kind} {quoted(str(name))}")[0]
        if statement is None:
            raise InfrastructureError(
                f"the {str(kind).lower()} {name!r} of {database!r} may not be read",
                hint="GRANT SELECT ON mysql.proc (MariaDB), or GRANT SHOW_ROUTINE ON *.* (MySQL)",
            )
        yield Program(mode=str(mode), statement=_without_definer(str(statement)))


def _triggers(server: Server, database: str) -> Iterator[Program]:
    found = server.run(
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s "
        "ORDER BY event_object_table, action_timing, event_manipulation, action_order",
        database,
    )
    for (name,) in found:
        _, mode, statement, *_ = server.run(f"SHOW CREATE TRIGGER {quoted(str(name))}")[0]
        yield Program(mode=str(mode), statement=_without_definer(str(statement)))


def _without_definer(statement: str) -> str:
    """Whoever makes the clone owns it: to name another takes rights that tests should not have."""
    return _DEFINER.sub("", statement, count=1)

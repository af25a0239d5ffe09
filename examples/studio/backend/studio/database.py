"""Connections, transactions that act as one user, and the preparation of an empty database."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, make_url, select, text

from studio.schema import GUARDED, VERSION, metadata, schema_version

_SQL = Path(__file__).with_name("sql")
_START_UP_LOCK = 7_308_324  # any number that nothing else in this database locks


class SchemaVersionError(RuntimeError):
    """The database was prepared by another version of the studio."""


class Database:
    """One database, SQLite or PostgreSQL.

    >>> with database.acting_as(user_id) as connection:
    ...     connection.execute(select(own_brand_kits)).all()
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.backend = self.engine.dialect.name

    @contextlib.contextmanager
    def as_owner(self) -> Iterator[Connection]:
        """Open a transaction for what is not one user's business: accounts and health."""
        with self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def acting_as(self, user_id: str | None) -> Iterator[Connection]:
        """Open a transaction in which the database shows and takes rows of this user only; None owns no row."""
        with self.engine.begin() as connection:
            if self.backend == "sqlite":
                connection.execute(text("INSERT INTO acting_user VALUES (:id)"), {"id": user_id or ""})
                yield connection
                connection.execute(text("DELETE FROM acting_user"))
            else:
                connection.execute(text("SET LOCAL ROLE studio_member"))
                connection.execute(text("SELECT set_config('studio.user_id', :id, true)"), {"id": user_id or ""})
                yield connection

    def prepare(self) -> None:
        """Create whatever is missing. Two processes may do this at once; the second finds the work done."""
        lock = _sqlite_lock(self.engine) if self.backend == "sqlite" else contextlib.nullcontext()
        with lock:
            if self.backend == "sqlite":
                _use_write_ahead_log(self.engine)
            with self.engine.begin() as connection:
                if self.backend == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _START_UP_LOCK})
                if not _is_prepared(connection):
                    _create_everything(connection)

    def ping(self) -> None:
        """Raise unless the database answers and holds this version of the schema."""
        with self.engine.connect() as connection:
            connection.execute(select(schema_version.c.version)).one()

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": 15})
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    options = {"connect_timeout": 5, "options": "-c client_min_messages=warning"}
    return create_engine(parsed, pool_pre_ping=True, pool_size=5, max_overflow=15, connect_args=options)


def _configure_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions: _begin_immediate does
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_immediate(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when somebody wrote in between, whatever the
    # timeout. Taking the write lock at the start makes it wait instead.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextlib.contextmanager
def _sqlite_lock(engine: Engine) -> Iterator[None]:
    """Keep other processes from preparing the same file: switching to the write-ahead log does not wait."""
    with Path(f"{engine.url.database}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _use_write_ahead_log(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _is_prepared(connection: Connection) -> bool:
    if not inspect(connection).has_table(schema_version.name):
        return False
    found = connection.execute(select(schema_version.c.version)).scalar_one_or_none()
    if found not in (None, VERSION):
        raise SchemaVersionError(f"the database holds schema {found}, this program needs {VERSION}; use an empty one")
    return found == VERSION


def _create_everything(connection: Connection) -> None:
    metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        script = (_SQL / "sqlite.sql").read_text("utf-8")
        guard = Template((_SQL / "sqlite_guard.sql").read_text("utf-8"))
        for part in (script, *(guard.substitute(table=table.name) for table in GUARDED)):
            for statement in _statements(part):
                connection.exec_driver_sql(statement)
    else:
        # Without parameters the driver sends the file as it is, per cent signs and all.
        script = (_SQL / "postgresql.sql").read_text("utf-8")
        connection.exec_driver_sql(script, execution_options={"no_parameters": True})
    connection.execute(insert(schema_version).values(version=VERSION))


def _statements(script: str) -> Iterator[str]:
    """Split a script; a trigger with its inner semicolons is one statement."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""

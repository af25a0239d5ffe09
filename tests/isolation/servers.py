"""What the tests ask of a server behind the back of the code that they test."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pymysql
from psycopg import sql

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.address import parse
from e2e_orchestrator.isolation.driver import Base, Owner
from e2e_orchestrator.isolation.resp import Resp
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase
from e2e_orchestrator.model.safeguards import Safeguards

VARIABLE = "DATABASE_URL"


def base_of(url: str, folder: Path, **fields: Any) -> Base:
    """What leases hand to a driver; ``source`` and ``data`` may be said otherwise, and the ``run_id``."""
    run_id = fields.pop("run_id", folder.name)
    given = {
        "variable": VARIABLE,
        "address": parse(url, variable=VARIABLE),
        "source": PlannedDatabase(variable=VARIABLE),
        "data": CopiedData.COPY,
        "owner": Owner(run_id=run_id, folder=folder),
        "rules": Safeguards(),
    }
    return Base(**{**given, **fields})


def a_run_id() -> str:
    return f"20261120-120000-{uuid4().hex[:6]}"


@dataclass
class Postgres:
    admin: "psycopg.Connection[Any]"
    base: str
    server: str

    @property
    def url(self) -> str:
        return self.url_of(self.base)

    def url_of(self, name: str) -> str:
        return f"{self.server}/{name}"

    def create(self, name: str) -> None:
        self.admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(self.server, dbname=name, autocommit=True) as made:
            made.execute("CREATE TABLE people (id serial PRIMARY KEY, name text NOT NULL)")
            made.execute("CREATE TABLE alembic_version (version_num text)")
            made.execute("CREATE VIEW names AS SELECT name FROM people")
            made.execute("INSERT INTO people (name) VALUES ('Ada'), ('Grace')")
            made.execute("INSERT INTO alembic_version VALUES ('42')")

    def ask(self, name: str, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.server, dbname=name, autocommit=True) as connection:
            cursor = connection.execute(query)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def names(self) -> list[str]:
        return [str(name) for (name,) in self.admin.execute("SELECT datname FROM pg_database").fetchall()]

    def clones(self) -> list[str]:
        return [name for name in self.names() if name.startswith(self.base) and name != self.base]

    def remove_everything(self) -> None:
        for name in (*self.clones(), self.base):
            self.admin.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


@dataclass
class MariaDb:
    admin: "pymysql.Connection[Any]"
    base: str

    @property
    def url(self) -> str:
        return f"mysql+pymysql://root@127.0.0.1:3306/{self.base}"

    def create(self, name: str) -> None:
        self.run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        for statement in (
            (
                "CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL, "
                "shout VARCHAR(20) GENERATED ALWAYS AS (UPPER(name)) STORED)"
            ),
            (
                "CREATE TABLE child (id INT PRIMARY KEY, parent INT, "
                "CONSTRAINT of_parent FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)"
            ),
            "CREATE TABLE log (line TEXT)",
            "CREATE TABLE django_migrations (name TEXT)",
            "CREATE VIEW second AS SELECT id, shout FROM parent",
            "CREATE VIEW first AS SELECT shout FROM second",
            "CREATE TRIGGER told AFTER INSERT ON parent FOR EACH ROW INSERT INTO log VALUES (NEW.name)",
            "CREATE FUNCTION twice (x INT) RETURNS INT DETERMINISTIC RETURN x * 2",
            "CREATE PROCEDURE people () BEGIN SELECT COUNT(*) FROM parent; END",
            "INSERT INTO parent (name) VALUES ('ada'), ('grace')",
            "INSERT INTO child VALUES (1, 1)",
            "INSERT INTO django_migrations VALUES ('0001')",
        ):
            self.ask(name, statement)

    def run(self, statement: str, *values: object) -> Sequence[Any]:
        with self.admin.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall()

    def ask(self, name: str, query: str) -> Sequence[Any]:
        with (
            closing(
                pymysql.connect(host="127.0.0.1", user="root", database=name, autocommit=True)
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query)
            return cursor.fetchall()

    def clones(self) -> list[str]:
        names = [str(name) for (name,) in self.run("SHOW DATABASES")]
        return [name for name in names if name.startswith(self.base) and name != self.base]

    def remove_everything(self) -> None:
        for name in (*self.clones(), self.base):
            self.run(f"DROP DATABASE IF EXISTS `{name}`")


@dataclass
class Redis:
    url: str

    def ask(self, *words: str | int, database: int = 0) -> Any:
        async def asked() -> Any:
            connection = await Resp.connect(parse(self.url, variable="REDIS_URL"))
            try:
                await connection.call("SELECT", database)
                return await connection.call(*words)
            finally:
                await connection.close()

        return asyncio.run(asked())

    def silent(self) -> str | None:
        try:
            self.ask("PING")
        except InfrastructureError as error:
            return error.message
        return None

    def claims(self) -> set[bytes]:
        return set(self.ask("KEYS", "e2e-orchestrator:lease:*"))

"""Bases that lead out of themselves: no clone may come back to its base, nor empty what is somebody else's."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from servers import Postgres, base_of

from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.postgres import PostgresDriver
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PARTED = """
    CREATE TABLE sales (id int) PARTITION BY RANGE (id);
    CREATE FOREIGN TABLE old_sales PARTITION OF sales FOR VALUES FROM (0) TO (100) SERVER far;
"""


@pytest.fixture
def elsewhere(postgres: Postgres) -> Iterator[str]:
    """A database with a table of rows that nobody has given to the tests."""
    name = postgres.base.replace("test_", "valued_")
    named = sql.Identifier(name)
    postgres.admin.execute(sql.SQL("CREATE DATABASE {}").format(named))
    try:
        postgres.ask(name, "CREATE TABLE old_sales AS SELECT 1 AS id")
        yield name
    finally:
        postgres.admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(named))


def server_to(database: str) -> str:
    return f"""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', dbname '{database}');
        CREATE USER MAPPING FOR CURRENT_USER SERVER far;
    """


@asynccontextmanager
async def driver_for(postgres: Postgres, folder: Path, **fields: Any) -> AsyncIterator[PostgresDriver]:
    driver = PostgresDriver(base_of(postgres.url, folder, **fields))
    try:
        yield driver
    finally:
        await driver.close()


async def test_a_foreign_table_is_not_emptied_with_the_table_that_it_is_a_part_of(
    postgres: Postgres, elsewhere: str, run_folder: Path
) -> None:
    postgres.ask(postgres.base, server_to(elsewhere) + PARTED)
    async with driver_for(postgres, run_folder, data=CopiedData.NONE) as driver:
        with pytest.raises(CannotIsolate, match="would empty the foreign table old_sales"):
            await driver.examine()
        with pytest.raises(CannotIsolate, match="would empty the foreign table old_sales"):
            await driver.make(0)
    assert postgres.ask(elsewhere, "SELECT id FROM old_sales") == [(1,)]


async def test_a_foreign_server_that_leads_back_to_the_base_is_refused(
    postgres: Postgres, run_folder: Path
) -> None:
    postgres.ask(postgres.base, server_to(postgres.base))
    async with driver_for(postgres, run_folder) as driver:
        with pytest.raises(CannotIsolate, match="the foreign server 'far' leads to"):
            await driver.examine()


async def test_so_is_one_that_the_file_of_the_schema_makes(postgres: Postgres, run_folder: Path) -> None:
    schema = run_folder / "schema.sql"
    schema.write_text(server_to(postgres.base))
    source = PlannedDatabase(variable="DATABASE_URL", sql=str(schema))
    async with driver_for(postgres, run_folder, source=source) as driver:
        await driver.examine()
        with pytest.raises(CannotIsolate, match="the foreign server 'far' leads to"):
            await driver.make(0)


async def test_one_that_leads_elsewhere_is_said(postgres: Postgres, elsewhere: str, run_folder: Path) -> None:
    postgres.ask(postgres.base, server_to(elsewhere))
    said: list[str] = []

    async def hear(message: str) -> None:
        said.append(message)

    async with driver_for(postgres, run_folder, warn=hear) as driver:
        await driver.examine()
        await driver.make(0)
    assert said == ["DATABASE_URL: the foreign server 'far': what that leads to all slots share"]


@pytest.mark.parametrize(
    ("database", "refused"),
    [
        pytest.param("'dbname={base}'", True, id="by the name of the base"),
        pytest.param("'dbname={base}_archive'", False, id="by a name that only begins like it"),
        pytest.param("'dbname=' || current_database()", False, id="by the name of wherever it runs"),
    ],
)
async def test_a_function_that_calls_dblink(
    postgres: Postgres, run_folder: Path, database: str, refused: bool
) -> None:
    postgres.ask(
        postgres.base,
        f"""
        CREATE EXTENSION dblink;
        CREATE FUNCTION note() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
            RETURN dblink_exec({database.format(base=postgres.base)}, 'DELETE FROM people');
        END $$
        """,
    )
    async with driver_for(postgres, run_folder) as driver:
        if refused:
            with pytest.raises(CannotIsolate, match=r"the routine note\(\) calls dblink and names"):
                await driver.examine()
        else:
            await driver.examine()
            await driver.make(0)


async def test_a_base_that_nobody_can_connect_to_is_copied_all_the_same(
    postgres: Postgres, run_folder: Path
) -> None:
    postgres.admin.execute(
        sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(postgres.base))
    )
    async with driver_for(postgres, run_folder) as driver:
        await driver.examine()
        world = await driver.make(0)
        assert postgres.ask(world.name, "SELECT count(*) FROM people") == [(2,)]

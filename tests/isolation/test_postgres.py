"""Clones on a real PostgreSQL: what is in them, how they are reset, and what is never touched."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from servers import VARIABLE, Postgres, a_run_id, base_of

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.address import parse
from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.names import Marker, clone_name
from e2e_orchestrator.isolation.postgres import PostgresDriver
from e2e_orchestrator.isolation.postgres_orphans import orphans
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PEOPLE = "SELECT name FROM people ORDER BY id"


async def test_a_clone_has_what_its_base_has_and_goes_with_the_run(
    postgres: Postgres, run_folder: Path
) -> None:
    driver = PostgresDriver(base_of(postgres.url, run_folder))
    await driver.examine()
    world = await driver.make(0)
    assert world.environment == {VARIABLE: postgres.url_of(world.name)}
    assert postgres.ask(world.name, "SELECT name FROM names") == [("Ada",), ("Grace",)]
    await driver.close()
    assert world.name not in postgres.names()


async def test_without_data_a_clone_has_the_schema_and_the_books_of_migrations(
    postgres: Postgres, run_folder: Path
) -> None:
    driver = PostgresDriver(base_of(postgres.url, run_folder, data=CopiedData.NONE))
    await driver.examine()
    world = await driver.make(0)
    assert postgres.ask(world.name, "INSERT INTO people (name) VALUES ('new') RETURNING id") == [(1,)]
    assert postgres.ask(world.name, "SELECT version_num FROM alembic_version") == [("42",)]
    await driver.close()
    assert postgres.ask(postgres.base, PEOPLE) == [("Ada",), ("Grace",)]


async def test_a_reset_ends_who_is_connected_and_brings_everything_back(
    postgres: Postgres, run_folder: Path
) -> None:
    driver = PostgresDriver(base_of(postgres.url, run_folder))
    await driver.examine()
    world = await driver.make(0)
    with closing(psycopg.connect(world.environment[VARIABLE])) as busy:
        busy.execute("DELETE FROM people")
        busy.commit()
        busy.execute("SELECT 1")  # In the middle of a transaction.
        assert await driver.reset(0) == world
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")
    assert postgres.ask(world.name, PEOPLE) == [("Ada",), ("Grace",)]
    await driver.close()


async def test_without_data_materialized_views_are_derived_anew(postgres: Postgres, run_folder: Path) -> None:
    """They have rows of their own; one that nobody has filled yet stays like that."""
    for statement in (
        "CREATE MATERIALIZED VIEW heads AS SELECT count(*) AS n FROM people",
        "CREATE MATERIALIZED VIEW copied AS SELECT name FROM people",
        "CREATE MATERIALIZED VIEW empty AS SELECT name FROM people WITH NO DATA",
    ):
        postgres.ask(postgres.base, statement)
    driver = PostgresDriver(base_of(postgres.url, run_folder, data=CopiedData.NONE))
    await driver.examine()
    world = await driver.make(0)
    assert postgres.ask(world.name, "SELECT n FROM heads") == [(0,)]
    assert postgres.ask(world.name, "SELECT * FROM copied") == []
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        postgres.ask(world.name, "SELECT * FROM empty")
    await driver.close()


async def test_one_that_depends_on_a_newer_one_is_derived_after_it(
    postgres: Postgres, run_folder: Path
) -> None:
    for statement in (
        "CREATE MATERIALIZED VIEW first AS SELECT name FROM names",
        "CREATE MATERIALIZED VIEW second AS SELECT name FROM people",
        "CREATE OR REPLACE VIEW names AS SELECT name FROM second",
    ):
        postgres.ask(postgres.base, statement)
    driver = PostgresDriver(base_of(postgres.url, run_folder, data=CopiedData.NONE))
    await driver.examine()
    world = await driver.make(0)
    assert postgres.ask(world.name, "SELECT * FROM first, second") == []
    await driver.close()


async def test_where_somebody_is_connected_to_template1_the_other_one_serves(
    postgres: Postgres, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said for the server: whoever really held it would stop all others from creating databases."""
    execute = psycopg.AsyncConnection.execute

    async def busy(self: Any, query: Any, *rest: Any, **options: Any) -> Any:
        text = query.as_string(self) if isinstance(query, sql.Composable) else ""
        if text.startswith("CREATE DATABASE") and "TEMPLATE" not in text:
            raise psycopg.errors.ObjectInUse('source database "template1" is being accessed by other users')
        return await execute(self, query, *rest, **options)

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", busy)
    file = run_folder / "schema.sql"
    file.write_text("CREATE TABLE things (id INT)")
    source = PlannedDatabase(variable=VARIABLE, sql=str(file))
    driver = PostgresDriver(base_of(postgres.url, run_folder, source=source))
    await driver.examine()
    world = await driver.make(0)
    assert postgres.ask(world.name, "SELECT * FROM things") == []
    await driver.close()
    found = await orphans(base_of(postgres.url, run_folder), dead=lambda _: True, kept=True)
    for template in (one for one in found if one.name.startswith(postgres.base)):
        await template.remove()


async def test_settings_of_the_base_hold_in_its_clones(postgres: Postgres, run_folder: Path) -> None:
    name = sql.Identifier(postgres.base)
    postgres.admin.execute(sql.SQL("ALTER DATABASE {} SET search_path TO people, public").format(name))
    postgres.admin.execute(sql.SQL("ALTER DATABASE {} SET timezone TO 'Asia/Tokyo'").format(name))
    driver = PostgresDriver(base_of(postgres.url, run_folder))
    await driver.examine()
    world = await driver.make(0)
    assert postgres.ask(world.name, "SHOW search_path") == [("people, public",)]
    assert postgres.ask(world.name, "SHOW timezone") == [("Asia/Tokyo",)]
    await driver.close()


async def test_a_busy_base_is_waited_for_then_copied(postgres: Postgres, run_folder: Path) -> None:
    """It would be refused: "source database is being accessed by other users"."""
    with closing(psycopg.connect(postgres.url)) as busy:
        busy.execute("SELECT 1")
        driver = PostgresDriver(base_of(postgres.url, run_folder))
        await driver.examine()
        world = await driver.make(0)
    assert postgres.ask(world.name, PEOPLE) == [("Ada",), ("Grace",)]
    await driver.close()


async def test_eight_slots_at_once(postgres: Postgres, run_folder: Path) -> None:
    driver = PostgresDriver(base_of(postgres.url, run_folder))
    await driver.examine()
    worlds = await asyncio.gather(*map(driver.make, range(8)))
    assert len({world.name for world in worlds}) == 8
    again = await asyncio.gather(*map(driver.reset, range(8)))
    assert again == worlds
    assert all(postgres.ask(world.name, PEOPLE) == [("Ada",), ("Grace",)] for world in worlds)
    await driver.close()


async def test_two_runs_at_once_have_databases_of_their_own(postgres: Postgres, run_folder: Path) -> None:
    drivers = [PostgresDriver(base_of(postgres.url, run_folder, run_id=a_run_id())) for _ in range(2)]
    await asyncio.gather(*(driver.examine() for driver in drivers))
    worlds = await asyncio.gather(*(driver.make(slot) for driver in drivers for slot in range(2)))
    assert len({world.name for world in worlds}) == 4
    await drivers[0].close()
    assert all(world.name in postgres.names() for world in worlds[2:])
    await drivers[1].close()


async def test_a_role_that_may_not_create_is_told_the_statement_that_is_missing(
    postgres: Postgres, run_folder: Path
) -> None:
    role = f"{postgres.base}_role"
    postgres.admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    try:
        url = f"postgresql://{role}@127.0.0.1:5432/{postgres.base}"
        driver = PostgresDriver(base_of(url, run_folder))
        with pytest.raises(CannotIsolate) as caught:
            await driver.examine()
        assert caught.value.hint == f'ALTER ROLE "{role}" CREATEDB;'
        await driver.close()
        postgres.admin.execute(caught.value.hint)
        driver = PostgresDriver(base_of(url, run_folder))
        with pytest.raises(CannotIsolate) as caught:
            await driver.examine()
        assert caught.value.hint == f'GRANT postgres TO "{role}";'
        await driver.close()
        postgres.admin.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*map(sql.Identifier, (postgres.base, role)))
        )
        driver = PostgresDriver(base_of(url, run_folder))
        await driver.examine()
        world = await driver.make(0)
        assert world.name in postgres.names()
        await driver.close()
    finally:
        postgres.remove_everything()
        postgres.admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


async def test_a_base_that_is_no_test_database_is_refused_and_left_as_it_is(
    postgres: Postgres, run_folder: Path
) -> None:
    name = postgres.base.replace("test_", "shop_")
    postgres.create(name)
    try:
        driver = PostgresDriver(base_of(postgres.url_of(name), run_folder))
        with pytest.raises(SafeguardRefused, match="not known to be a test database"):
            await driver.examine()
        await driver.close()
        postgres.ask(name, "CREATE TABLE e2e_orchestrator_test_database ()")
        driver = PostgresDriver(base_of(postgres.url_of(name), run_folder))
        await driver.examine()
        await driver.close()
        assert postgres.ask(name, PEOPLE) == [("Ada",), ("Grace",)]
    finally:
        postgres.admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


@pytest.mark.parametrize("comment", [None, "somebody's", "other run"])
async def test_a_database_that_took_the_place_of_a_clone_is_never_dropped(
    comment: str | None, postgres: Postgres, run_folder: Path
) -> None:
    """Its name is that of a clone of ours; what it holds is not ours."""
    driver = PostgresDriver(base_of(postgres.url, run_folder))
    await driver.examine()
    name = (await driver.make(0)).name
    quoted = sql.Identifier(name)
    if comment == "other run":
        comment = str(Marker(run_id="another", kind="clone", host="h", folder="/f"))
    postgres.admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(quoted, sql.Literal(comment)))
    with pytest.raises(SafeguardRefused, match="does not carry the marker"):
        await driver.reset(0)
    with pytest.raises(SafeguardRefused, match="does not carry the marker"):
        await driver.release(0)
    with pytest.raises(InfrastructureError, match="could not be removed"):
        await driver.close()
    assert postgres.ask(name, PEOPLE) == [("Ada",), ("Grace",)]
    postgres.remove_everything()


async def test_a_database_that_was_there_before_is_not_taken_for_ours(
    postgres: Postgres, run_folder: Path
) -> None:
    name = clone_name(postgres.base, run_id=run_folder.name, part=0)
    postgres.create(name)
    driver = PostgresDriver(base_of(postgres.url, run_folder))
    await driver.examine()
    with pytest.raises(InfrastructureError, match="already, and it is not ours"):
        await driver.make(0)
    await driver.close()
    assert postgres.ask(name, PEOPLE) == [("Ada",), ("Grace",)]
    postgres.remove_everything()


HOSTILE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tail=HOSTILE)
async def test_a_name_that_is_a_statement_stays_a_name(
    tail: str, postgres: Postgres, run_folder: Path
) -> None:
    name = f'{postgres.base}"; DROP DATABASE "{postgres.base}";--{tail}'[:40]
    postgres.create(name)
    url = parse(postgres.url, variable=VARIABLE).with_database(name)
    driver = PostgresDriver(base_of(url, run_folder, data=CopiedData.NONE))
    await driver.examine()
    world = await driver.make(0)
    assert postgres.ask(world.name, PEOPLE) == []
    await driver.close()
    assert postgres.ask(postgres.base, PEOPLE) == [("Ada",), ("Grace",)]
    assert postgres.ask(name, PEOPLE) == [("Ada",), ("Grace",)]
    postgres.admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


async def test_a_template_of_a_file_is_built_once_and_kept_until_the_file_changes(
    postgres: Postgres, run_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "schema.sql"
    file.write_text("CREATE TABLE things (id int); INSERT INTO things VALUES (1);")
    source = PlannedDatabase(variable=VARIABLE, sql=str(file))

    async def clone_once() -> list[str]:
        driver = PostgresDriver(base_of(postgres.url, run_folder, source=source, run_id=a_run_id()))
        await driver.examine()
        world = await driver.make(0)
        assert postgres.ask(world.name, "SELECT id FROM things") == [(1,)]
        await driver.close()
        return postgres.clones()

    [kept] = await clone_once()
    assert await clone_once() == [kept]
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        postgres.ask(kept, "SELECT 1")
    file.write_text(file.read_text() + "CREATE TABLE more ();")
    [newer] = await clone_once()
    assert newer != kept
    found = await orphans(base_of(postgres.url, run_folder), dead=lambda _: True, kept=True)
    await next(one for one in found if one.name == newer).remove()


async def test_a_database_that_has_the_kept_templates_name_stays_and_stops_nobody(
    postgres: Postgres, run_folder: Path, tmp_path: Path
) -> None:
    warned: list[str] = []
    file = tmp_path / "schema.sql"
    file.write_text("CREATE TABLE things (id int);")
    source = PlannedDatabase(variable=VARIABLE, sql=str(file))

    async def warn(message: str) -> None:
        warned.append(message)

    async def clone_once() -> list[str]:
        base = base_of(postgres.url, run_folder, source=source, run_id=a_run_id(), warn=warn)
        driver = PostgresDriver(base)
        await driver.examine()
        world = await driver.make(0)
        assert postgres.ask(world.name, "SELECT id FROM things") == []
        await driver.close()
        return postgres.clones()

    [kept] = await clone_once()
    found = await orphans(base_of(postgres.url, run_folder), dead=lambda _: True, kept=True)
    await next(one for one in found if one.name == kept).remove()
    postgres.create(kept)
    assert await clone_once() == [kept]
    assert postgres.ask(kept, PEOPLE) == [("Ada",), ("Grace",)]
    [warning] = warned
    assert f'DROP DATABASE "{kept}";' in warning
    postgres.admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(kept)))


async def test_a_server_that_is_not_there_is_said(run_folder: Path) -> None:
    driver = PostgresDriver(base_of("postgresql://postgres@127.0.0.1:1/test_x", run_folder))
    with pytest.raises(InfrastructureError, match="does not answer"):
        await driver.examine()
    await driver.close()


async def test_a_base_that_is_not_there_is_said(postgres: Postgres, run_folder: Path) -> None:
    driver = PostgresDriver(base_of(postgres.url_of("test_nobody_made_this"), run_folder))
    with pytest.raises(InfrastructureError, match="there is no database 'test_nobody_made_this'"):
        await driver.examine()
    await driver.close()

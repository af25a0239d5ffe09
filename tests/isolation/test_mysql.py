"""Clones on a real MariaDB: schema with everything in it, rows or none, and what is never touched."""

import asyncio
from pathlib import Path

import pytest
from servers import VARIABLE, MariaDb, a_run_id, base_of

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.mysql import MysqlDriver, orphans
from e2e_orchestrator.isolation.mysql_server import Server, quoted
from e2e_orchestrator.isolation.names import clone_name
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def _in_use(maria: MariaDb, name: str) -> dict[str, object]:
    """What a test would see of each kind of thing that a schema holds."""
    return {
        "rows": maria.ask(name, "SELECT name, shout FROM parent ORDER BY id"),
        "views": maria.ask(name, "SELECT shout FROM first ORDER BY 1"),
        "function": maria.ask(name, "SELECT twice(21)"),
        "procedure": maria.ask(name, "CALL people()"),
        "log": maria.ask(name, "SELECT line FROM log ORDER BY 1"),
        "migrations": maria.ask(name, "SELECT name FROM django_migrations"),
    }


async def test_a_clone_has_the_whole_schema_and_the_rows(maria: MariaDb, run_folder: Path) -> None:
    driver = MysqlDriver(base_of(maria.url, run_folder))
    await driver.examine()
    world = await driver.make(0)
    assert world.environment == {VARIABLE: maria.url.replace(maria.base, world.name)}
    assert _in_use(maria, world.name) == _in_use(maria, maria.base)
    maria.ask(world.name, "INSERT INTO parent (name) VALUES ('new')")
    assert maria.ask(world.name, "SELECT id, shout FROM parent WHERE name = 'new'") == ((3, "NEW"),)
    assert maria.ask(world.name, "SELECT COUNT(*) FROM log WHERE line = 'new'") == ((1,),), "the trigger"
    maria.ask(world.name, "DELETE FROM parent WHERE id = 1")
    assert maria.ask(world.name, "SELECT COUNT(*) FROM child") == ((0,),), "the foreign key"
    assert maria.ask(maria.base, "SELECT COUNT(*) FROM child") == ((1,),)
    await driver.close()


async def test_without_data_only_the_books_of_migrations_come_along(maria: MariaDb, run_folder: Path) -> None:
    driver = MysqlDriver(base_of(maria.url, run_folder, data=CopiedData.NONE))
    await driver.examine()
    world = await driver.make(0)
    seen = _in_use(maria, world.name)
    assert (seen["rows"], seen["log"], seen["migrations"]) == ((), (), (("0001",),))
    await driver.close()


async def test_a_reset_brings_everything_back(maria: MariaDb, run_folder: Path) -> None:
    driver = MysqlDriver(base_of(maria.url, run_folder))
    await driver.examine()
    world = await driver.make(0)
    maria.ask(world.name, "DROP TABLE child")
    assert await driver.reset(0) == world
    assert _in_use(maria, world.name) == _in_use(maria, maria.base)
    await driver.close()


async def test_eight_slots_and_two_runs_at_once(maria: MariaDb, run_folder: Path) -> None:
    drivers = [MysqlDriver(base_of(maria.url, run_folder, run_id=a_run_id())) for _ in range(2)]
    await asyncio.gather(*(driver.examine() for driver in drivers))
    worlds = await asyncio.gather(*(driver.make(slot) for driver in drivers for slot in range(8)))
    assert len({world.name for world in worlds}) == 16
    await asyncio.gather(*(driver.close() for driver in drivers))


async def test_an_account_that_may_not_create_is_told_the_grant_that_is_missing(
    maria: MariaDb, run_folder: Path
) -> None:
    user = maria.base
    maria.run(f"CREATE USER '{user}'@'%'")
    try:
        maria.run(f"GRANT SELECT ON `{maria.base}`.* TO '{user}'@'%'")
        driver = MysqlDriver(base_of(maria.url.replace("root@", f"{user}@"), run_folder))
        with pytest.raises(CannotIsolate) as caught:
            await driver.examine()
        hint = caught.value.hint or ""
        assert hint == rf"GRANT ALL PRIVILEGES ON `test\_%`.* TO '{user}'@'%';"
        await driver.close()
        maria.run(hint)
        driver = MysqlDriver(base_of(maria.url.replace("root@", f"{user}@"), run_folder))
        with pytest.raises(CannotIsolate, match="SHOW VIEW") as caught:
            await driver.examine()
        await driver.close()
        hint = caught.value.hint or ""
        assert hint == f"GRANT SELECT, SHOW VIEW, TRIGGER ON `{maria.base}`.* TO '{user}'@'%';"
        maria.run(hint)
        driver = MysqlDriver(base_of(maria.url.replace("root@", f"{user}@"), run_folder))
        await driver.examine()
        await driver.close()
    finally:
        maria.run(f"DROP USER '{user}'@'%'")


async def test_a_database_that_took_the_place_of_a_clone_is_never_dropped(
    maria: MariaDb, run_folder: Path
) -> None:
    driver = MysqlDriver(base_of(maria.url, run_folder))
    await driver.examine()
    name = (await driver.make(0)).name
    maria.run(f"DROP DATABASE `{name}`")
    maria.create(name)
    for destroying in (driver.reset(0), driver.release(0), driver.close()):
        with pytest.raises(SafeguardRefused, match="does not carry the marker"):
            await destroying
    assert maria.ask(name, "SELECT COUNT(*) FROM parent") == ((2,),)
    maria.remove_everything()


async def test_where_no_comment_can_stand_a_table_holds_the_marker(
    maria: MariaDb, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on MySQL, whose databases have no comment."""
    connect = Server.connect.__func__  # type: ignore[attr-defined]

    def without_comments(cls: type[Server], *arguments: object, **options: object) -> Server:
        server: Server = connect(cls, *arguments, **options)
        server._has_comments = False
        return server

    monkeypatch.setattr(Server, "connect", classmethod(without_comments))
    driver = MysqlDriver(base_of(maria.url, run_folder))
    await driver.examine()
    world = await driver.make(0)
    assert _in_use(maria, world.name) == _in_use(maria, maria.base)
    assert await driver.reset(0) == world
    await driver.close()


async def test_a_schema_is_built_of_a_file(maria: MariaDb, run_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "schema.sql"
    file.write_text("CREATE TABLE things (id INT);\nINSERT INTO things VALUES (7);\n")
    source = PlannedDatabase(variable=VARIABLE, sql=str(file))
    driver = MysqlDriver(base_of(maria.url, run_folder, source=source))
    await driver.examine()
    world = await driver.make(0)
    assert maria.ask(world.name, "SELECT id FROM things") == ((7,),)
    await driver.close()
    found = await orphans(base_of(maria.url, run_folder), dead=lambda _: True, kept=True)
    [template] = [one for one in found if one.name.startswith(maria.base)]
    await template.remove()


async def test_what_a_dead_run_left_is_found_and_removed(maria: MariaDb, run_folder: Path) -> None:
    base = base_of(maria.url, run_folder)
    driver = MysqlDriver(base)
    await driver.examine()
    await driver.make(0)
    assert [one for one in await orphans(base, dead=lambda _: True) if one.name.startswith(maria.base)] == []
    assert driver._session is not None
    driver._session.close()  # As the kernel does for a process that dies.
    found = [one for one in await orphans(base, dead=lambda _: True) if one.name.startswith(maria.base)]
    assert len(found) == 2
    for one in found:
        await one.remove()
    await driver.close()


@pytest.mark.parametrize("name", ["`; DROP DATABASE test; --", "a`b", "%s", "ż"])
async def test_a_base_of_any_name_is_copied(name: str, maria: MariaDb, run_folder: Path) -> None:
    whole = f"{maria.base}{name}"
    maria.run(f"CREATE DATABASE {quoted(whole)}")
    maria.run(f"CREATE TABLE {quoted(whole)}.{quoted(name)} ({quoted(name)} INT)")
    driver = MysqlDriver(base_of(maria.url, run_folder))
    address = driver._base.address.with_database(whole)
    driver = MysqlDriver(base_of(address, run_folder))
    await driver.examine()
    world = await driver.make(0)
    assert world.name == clone_name(whole, run_id=run_folder.name, part=0)
    assert maria.ask(world.name, "SHOW TABLES") == ((name,),)
    await driver.close()
    maria.run(f"DROP DATABASE {quoted(whole)}")


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_no_name_can_be_is_refused(name: str) -> None:
    with pytest.raises(InfrastructureError):
        quoted(name)

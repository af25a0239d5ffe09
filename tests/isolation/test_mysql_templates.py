"""Templates on a real MariaDB that are built once and kept: who shares one, who waits, and when one goes."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest
from servers import VARIABLE, MariaDb, a_run_id, base_of

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation import mysql_kept
from e2e_orchestrator.isolation.driver import CannotIsolate, Orphan
from e2e_orchestrator.isolation.mysql import MysqlDriver, orphans
from e2e_orchestrator.isolation.mysql_server import Row, Server
from e2e_orchestrator.model.isolation import PlannedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

THINGS = "CREATE TABLE things (id INT);\nINSERT INTO things VALUES (1);\n"


class World:
    """A schema in a file, and runs that make one clone of what it builds; ``built`` counts its migrations."""

    def __init__(self, maria: MariaDb, folder: Path) -> None:
        self.maria, self.folder = maria, folder
        self.file = folder / "schema.sql"
        self.file.write_text(THINGS)
        self.built = 0
        self.warned: list[str] = []
        self.fails: Callable[[], bool] = lambda: False

    def driver(self, *, run_id: str | None = None) -> MysqlDriver:
        source = PlannedDatabase(
            variable=VARIABLE,
            migrate=("migrate",),
            sql=str(self.file),
            cwd=str(self.folder),
            schema_files=(str(self.file),),
        )
        run_id = run_id or a_run_id()
        return MysqlDriver(
            base_of(
                self.maria.url,
                self.folder,
                source=source,
                run_id=run_id,
                migrate=self._migrate,
                warn=self._warn,
            )
        )

    async def _warn(self, message: str) -> None:
        self.warned.append(message)

    async def _migrate(self, source: PlannedDatabase, url: str) -> None:
        assert source.variable == VARIABLE
        self.built += 1
        name = url.rpartition("/")[2]
        await asyncio.to_thread(self.maria.ask, name, "INSERT INTO things VALUES (2)")
        if self.fails():
            raise InfrastructureError("the migration ended with exit status 1")

    async def clone_once(self) -> list[str]:
        """What is left on the server when the run is over."""
        driver = self.driver()
        await driver.examine()
        world = await driver.make(0)
        assert self.maria.ask(world.name, "SELECT id FROM things ORDER BY id") == ((1,), (2,))
        await driver.close()
        return self.maria.clones()

    async def left(self, *, kept: bool) -> list[Orphan]:
        found = await orphans(base_of(self.maria.url, self.folder), dead=lambda _: True, kept=kept)
        return [one for one in found if one.name.startswith(self.maria.base)]


@pytest.fixture
def world(maria: MariaDb, run_folder: Path) -> World:
    return World(maria, run_folder)


def do_without_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = Server.connect.__func__  # type: ignore[attr-defined]

    def limited(cls: type[Server], *arguments: object, **options: object) -> Server:
        server: Server = connect(cls, *arguments, **options)
        server._has_comments = False
        return server

    monkeypatch.setattr(Server, "connect", classmethod(limited))


@pytest.mark.parametrize("has_comments", [True, False], ids=["as on MariaDB", "as on MySQL"])
async def test_a_template_is_built_once_and_kept_until_the_schema_changes(
    has_comments: bool, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_comments:
        do_without_comments(monkeypatch)
    [kept] = await world.clone_once()
    assert await world.clone_once() == [kept]
    assert world.built == 1
    world.file.write_text(THINGS + "CREATE TABLE more (id INT);\n")
    [newer] = await world.clone_once()
    assert (newer != kept, world.built) == (True, 2)
    assert await world.left(kept=False) == [], "it is no orphan: it is to outlive its run"
    [orphan] = await world.left(kept=True)
    assert orphan.name == newer
    await orphan.remove()


async def test_two_runs_at_once_build_one_template(world: World) -> None:
    drivers = [world.driver(), world.driver()]
    await asyncio.gather(*(driver.examine() for driver in drivers))
    worlds = await asyncio.gather(*(driver.make(slot) for driver in drivers for slot in range(4)))
    assert len({made.name for made in worlds}) == 8
    assert world.built == 1
    await asyncio.gather(*(driver.close() for driver in drivers))
    [orphan] = await world.left(kept=True)
    await orphan.remove()


async def test_a_template_that_a_run_uses_stays(world: World) -> None:
    """Neither ``clean --all`` takes it away, nor a run with another schema."""
    driver = world.driver()
    await driver.examine()
    await driver.make(0)
    [kept] = [name for name in world.maria.clones() if name.endswith("_template")]
    assert await world.left(kept=True) == []
    world.file.write_text(THINGS + "CREATE TABLE more (id INT);\n")
    assert kept in await world.clone_once()
    await driver.reset(0)
    await driver.close()
    assert kept not in await world.clone_once(), "the next run of the newer schema removes it"
    [orphan] = await world.left(kept=True)
    await orphan.remove()


async def test_a_template_that_is_taken_into_use_meanwhile_is_not_removed(world: World) -> None:
    await world.clone_once()
    [orphan] = await world.left(kept=True)
    driver = world.driver()
    await driver.examine()
    await driver.make(0)
    with pytest.raises(CannotIsolate, match="is in use"):
        await orphan.remove()
    await driver.close()
    await orphan.remove()


async def test_a_migration_that_fails_leaves_no_template(world: World) -> None:
    world.fails = lambda: world.built == 1
    driver = world.driver()
    await driver.examine()
    with pytest.raises(InfrastructureError, match="exit status 1"):
        await driver.make(0)
    assert world.maria.clones() == []
    await driver.make(0)
    assert world.built == 2
    await driver.close()
    [orphan] = await world.left(kept=True)
    await orphan.remove()


async def test_half_a_template_of_a_run_that_was_killed_is_built_anew(world: World) -> None:
    [kept] = await world.clone_once()
    marker = str(
        world.maria.run(
            "SELECT schema_comment FROM information_schema.schemata WHERE schema_name = %s", kept
        )[0][0]
    )
    world.maria.run(
        f"ALTER DATABASE `{kept}` COMMENT %s", marker.replace('"sealed": true', '"sealed": false')
    )
    assert [one.name for one in await world.left(kept=False)] == [kept], "its run is dead"
    assert await world.clone_once() == [kept]
    assert world.built == 2
    [orphan] = await world.left(kept=True)
    await orphan.remove()


@pytest.mark.parametrize(
    ("has_comments", "left"),
    [
        (True, "CREATE TABLE things (id INT)"),
        (False, "CREATE TABLE things (id INT)"),
        (False, "CREATE TABLE e2e_orchestrator_marker (marker TEXT)"),
    ],
    ids=["on MariaDB", "on MySQL", "on MySQL, of a run that was killed while it made its mark"],
)
async def test_a_database_that_does_not_say_whose_it_is_stays_and_stops_nobody(
    has_comments: bool, left: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_comments:
        do_without_comments(monkeypatch)
    [kept] = await world.clone_once()
    for statement in (f"DROP DATABASE `{kept}`", f"CREATE DATABASE `{kept}`", f"USE `{kept}`", left):
        world.maria.run(statement)
    assert await world.clone_once() == [kept], "it stays; the template of this run is gone with the run"
    assert await world.left(kept=True) == [], "clean does not take it for ours"
    assert len(world.maria.ask(kept, "SHOW TABLES")) == 1
    assert world.built == 2
    [warning] = world.warned
    assert f"DROP DATABASE `{kept}`;" in warning
    world.maria.run(f"DROP DATABASE `{kept}`")
    assert await world.clone_once() == await world.clone_once() == [kept]
    assert world.built == 3
    [orphan] = await world.left(kept=True)
    await orphan.remove()


async def test_two_runs_beside_a_database_of_somebody_else_do_not_wait_for_each_other(world: World) -> None:
    [kept] = await world.clone_once()
    world.maria.run(f"DROP DATABASE `{kept}`")
    world.maria.run(f"CREATE DATABASE `{kept}`")
    drivers = [world.driver(), world.driver()]
    await asyncio.gather(*(driver.examine() for driver in drivers))
    worlds = await asyncio.gather(*(driver.make(0) for driver in drivers))
    for made in worlds:
        assert world.maria.ask(made.name, "SELECT id FROM things ORDER BY id") == ((1,), (2,))
    await asyncio.gather(*(driver.close() for driver in drivers))
    assert world.maria.clones() == [kept]
    assert world.built == 3
    world.maria.run(f"DROP DATABASE `{kept}`")


async def test_a_run_that_is_cancelled_while_another_builds_does_not_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [kept] = await world.clone_once()
    driver, other = world.driver(), world.driver()
    await driver.examine()
    await other.examine()
    assert driver._session is not None
    assert other._session is not None
    assert other._session.hold(mysql_kept.making(kept))
    waits = asyncio.Event()
    hold, loop = driver._session.hold, asyncio.get_running_loop()

    def held(text: str, *, wait: int = 0) -> bool:
        if text == mysql_kept.making(kept):
            loop.call_soon_threadsafe(waits.set)
        return hold(text, wait=wait)

    monkeypatch.setattr(driver._session, "hold", held)
    making = asyncio.create_task(driver.make(0))
    await waits.wait()
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    await asyncio.gather(driver.close(), other.close())
    [orphan] = await world.left(kept=True)
    await orphan.remove()


async def test_more_runs_than_places_build_for_themselves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mysql_kept, "_PLACES", 1)
    first, second = world.driver(), world.driver()
    await first.examine()
    await second.examine()
    await first.make(0)
    await second.make(0)
    assert world.built == 2
    await asyncio.gather(first.close(), second.close())
    [orphan] = await world.left(kept=True)
    await orphan.remove()


async def test_who_is_cancelled_while_another_run_builds_leaves_a_session_that_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [name] = await world.clone_once()
    waits, hold = Event(), Server.hold

    def told(self: Server, text: str, *, wait: int = 0) -> bool:
        if wait:
            waits.set()
        return hold(self, text, wait=wait)

    monkeypatch.setattr(Server, "hold", told)
    base = base_of(world.maria.url, world.folder)
    other = Server.connect(base.address, rules=base.rules)
    assert other.hold(mysql_kept.making(name))
    driver = world.driver()
    await driver.examine()
    try:
        first = asyncio.create_task(driver.make(0))
        await asyncio.to_thread(waits.wait, 20)
        first.cancel()
        await asyncio.wait({first}, timeout=0)
        other.let_go(mysql_kept.making(name))
        await asyncio.wait({first})
        assert first.cancelled()
        assert other.are_free([mysql_kept.making(name)]), "nobody waits for a run that gave up"
        assert (await driver.make(1)).name
    finally:
        await driver.close()
        other.close()
    for one in await world.left(kept=True):
        await one.remove()


async def test_a_database_that_goes_while_it_is_looked_at_is_nobodys(
    maria: MariaDb, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = base_of(maria.url, run_folder)
    server = Server.connect(base.address, rules=base.rules)
    server._has_comments = False
    name, run = f"{maria.base}_gone", server.run
    server.create(name, marker=base.owner.marker("clone"))

    def dropped(statement: str, *values: object) -> Sequence[Row]:
        found = run(statement, *values)
        if "information_schema.tables" in statement and name in values:
            maria.run(f"DROP DATABASE `{name}`")
        return found

    monkeypatch.setattr(server, "run", dropped)
    try:
        assert server.marker_of(name) is None
    finally:
        server.close()

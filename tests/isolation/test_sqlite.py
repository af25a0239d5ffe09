"""Copies of a SQLite file: whole, while others write, and nothing else is ever removed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from servers import VARIABLE, base_of

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.sqlite import SqliteDriver
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "base.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.executescript(
            """
            PRAGMA journal_mode = WAL;
            CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
            CREATE TABLE "a""b" (x);
            CREATE TABLE kept (x);
            CREATE TRIGGER no_way BEFORE DELETE ON kept BEGIN SELECT RAISE(ABORT, 'never'); END;
            INSERT INTO people (name) VALUES ('Ada');
            INSERT INTO kept VALUES (1);
            """
        )
    return path


def ask(file: Path | str, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        return connection.execute(query).fetchall()


def path_of(environment: dict[str, str]) -> Path:
    return Path(environment[VARIABLE].removeprefix("sqlite:///"))


async def test_a_copy_is_whole_while_somebody_else_writes(file: Path, run_folder: Path) -> None:
    driver = SqliteDriver(base_of(f"sqlite:///{file}", run_folder))
    await driver.examine()
    with closing(sqlite3.connect(file)) as writing:
        writing.execute("INSERT INTO people (name) VALUES ('not yet')")
        copy = path_of(dict((await driver.make(0)).environment))
    assert ask(copy, "SELECT name FROM people") == [("Ada",)]
    ask(copy, "DELETE FROM people")
    await driver.reset(0)
    assert ask(copy, "SELECT name FROM people") == [("Ada",)]
    await driver.close()
    await driver.release(0)
    assert not copy.parent.exists(), "who is last of those that leave at the same time takes it along"
    assert ask(file, "SELECT name FROM people") == [("Ada",)]


async def test_without_data_it_is_empty_whatever_triggers_say(file: Path, run_folder: Path) -> None:
    driver = SqliteDriver(base_of(f"sqlite:///{file}", run_folder, data=CopiedData.NONE))
    copy = path_of(dict((await driver.make(0)).environment))
    assert ask(copy, "SELECT (SELECT COUNT(*) FROM people) + (SELECT COUNT(*) FROM kept)") == [(0,)]
    assert ask(copy, "INSERT INTO people (name) VALUES ('new') RETURNING id") == [(1,)]
    assert ask(copy, "SELECT name FROM sqlite_schema WHERE type = 'trigger'") == [("no_way",)]
    assert ask(file, "SELECT x FROM kept") == [(1,)]
    await driver.release(0)
    await driver.close()


async def test_a_schema_is_built_of_a_file(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text("CREATE TABLE things (x); INSERT INTO things VALUES (7);")
    source = PlannedDatabase(variable=VARIABLE, sql=str(tmp_path / "schema.sql"))
    driver = SqliteDriver(base_of("sqlite:///not_there.db", run_folder, source=source))
    await driver.examine()
    copy = path_of(dict((await driver.make(3)).environment))
    assert ask(copy, "SELECT x FROM things") == [(7,)]
    await driver.release(3)
    await driver.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
async def test_a_database_in_memory_cannot_be_copied(url: str, run_folder: Path) -> None:
    with pytest.raises(CannotIsolate):
        await SqliteDriver(base_of(url, run_folder)).examine()


async def test_a_file_that_is_not_there_is_said_and_not_made(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="there is no database"):
        await SqliteDriver(base_of(f"sqlite:///{tmp_path}/nothing.db", run_folder)).examine()
    assert not (tmp_path / "nothing.db").exists()


async def test_a_link_in_the_way_leads_nobody_to_files_that_are_not_ours(
    file: Path, run_folder: Path, tmp_path: Path
) -> None:
    """A test may put a link where its copy was; following it would remove somebody's database."""
    driver = SqliteDriver(base_of(f"sqlite:///{file}", run_folder))
    copy = path_of(dict((await driver.make(0)).environment))
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / copy.name).write_text("precious")
    folder = copy.parent
    folder.rename(tmp_path / "aside")
    folder.symlink_to(precious)
    with pytest.raises(SafeguardRefused):
        await driver.reset(0)
    assert (precious / copy.name).read_text() == "precious"


async def test_who_has_the_copy_open_finds_it_as_it_was(file: Path, run_folder: Path) -> None:
    """A slot's application goes on with the connections it has, and with the log that it writes ahead."""
    driver = SqliteDriver(base_of(f"sqlite:///{file}", run_folder))
    copy = path_of(dict((await driver.make(0)).environment))
    with closing(sqlite3.connect(copy, isolation_level=None)) as application:
        application.execute("PRAGMA journal_mode = WAL")
        application.execute("INSERT INTO people (name) VALUES ('Eve')")
        await driver.reset(0)
        assert application.execute("SELECT name FROM people").fetchall() == [("Ada",)]
        application.execute("INSERT INTO people (name) VALUES ('Joan')")
        assert ask(copy, "SELECT COUNT(*) FROM people") == [(2,)]


async def test_a_copy_that_somebody_keeps_locked_is_said(
    file: Path, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("e2e_orchestrator.isolation.sqlite._BUSY_SECONDS", 0.1)
    driver = SqliteDriver(base_of(f"sqlite:///{file}", run_folder))
    copy = path_of(dict((await driver.make(0)).environment))
    with closing(sqlite3.connect(copy, isolation_level=None)) as application:
        application.execute("BEGIN IMMEDIATE")
        with pytest.raises(InfrastructureError, match="cannot be made anew: database is locked"):
            await driver.reset(0)


@pytest.mark.parametrize(
    "put", [Path.symlink_to, Path.hardlink_to, Path.write_text], ids=["link", "name", "no"]
)
async def test_what_stands_in_place_of_the_copy_is_replaced_and_never_written_to(
    put: Any, file: Path, run_folder: Path
) -> None:
    driver = SqliteDriver(base_of(f"sqlite:///{file}", run_folder))
    copy = path_of(dict((await driver.make(0)).environment))
    ask(file, "INSERT INTO people (name) VALUES ('Eve')")
    ask(file, "PRAGMA wal_checkpoint(TRUNCATE)")
    copy.unlink()
    put(copy, file if put is not Path.write_text else "no database at all")
    await driver.reset(0)
    assert ask(copy, "SELECT name FROM people") == [("Ada",)]
    assert ask(file, "SELECT COUNT(*) FROM people") == [(2,)]


async def test_what_an_application_put_beside_the_copy_goes_with_it(file: Path, run_folder: Path) -> None:
    driver = SqliteDriver(base_of(f"sqlite:///{file}", run_folder))
    copies = [path_of(dict((await driver.make(slot)).environment)) for slot in (1, 10)]
    beside = copies[0].with_name(f"{copies[0].name}.lock")
    beside.touch()
    await driver.release(1)
    assert not beside.exists()
    assert copies[1].exists(), "its name begins alike"
    await driver.release(10)
    await driver.close()
    assert not copies[0].parent.exists()

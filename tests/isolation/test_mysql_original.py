"""Whatever a clone on a real MariaDB does, the base stays as it is; what cannot promise that is not cloned."""

from pathlib import Path

import pytest
from servers import VARIABLE, MariaDb, base_of

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.mysql import MysqlDriver
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def add(maria: MariaDb, *statements: str, mode: str = "") -> None:
    """To the base, whose name stands for each ``{base}``."""
    maria.run(f"USE `{maria.base}`")
    maria.run("SET SESSION sql_mode = %s", mode)
    for statement in statements:
        maria.run(statement.replace("{base}", maria.base))


def add_what_names_the_base(maria: MariaDb) -> None:
    add(
        maria,
        "CREATE SEQUENCE ids NOCACHE",
        "CREATE SEQUENCE spent MAXVALUE 2 NOCACHE",
        "CREATE SEQUENCE back INCREMENT -1 START WITH 9 MINVALUE 1 MAXVALUE 9 NOCACHE",
        "CREATE TABLE orders (id INT DEFAULT NEXTVAL({base}.ids) PRIMARY KEY, a INT CHECK ({base}.orders.a > 0), "
        "b INT GENERATED ALWAYS AS ({base}.orders.a + 1) STORED)",
        "CREATE FUNCTION next_id() RETURNS INT RETURN NEXTVAL({base}.ids)",
        "CREATE PROCEDURE enter(x INT) INSERT INTO {base}.log VALUES (x)",
        "CREATE VIEW numbers AS SELECT {base}.next_id() AS n",
        "CREATE VIEW seen AS SELECT l.line FROM {base}.log l JOIN information_schema.engines e ON e.engine = 'CSV'",
        "CREATE TRIGGER {base}.ordered AFTER INSERT ON {base}.orders FOR EACH ROW INSERT INTO {base}.log VALUES (1)",
        "DO NEXTVAL(spent), NEXTVAL(back)",
        "DO NEXTVAL(spent)",
        "INSERT INTO orders (a) VALUES (1), (2)",
    )
    add(maria, 'CREATE PROCEDURE quoted() INSERT INTO "{base}"."log" VALUES (1)', mode="ANSI_QUOTES")


def state(maria: MariaDb) -> list[object]:
    asked = ("SELECT * FROM log", "SELECT * FROM ids", "SELECT * FROM orders", "SELECT * FROM back")
    return [maria.ask(maria.base, query) for query in asked]


def use_everything(maria: MariaDb, name: str) -> None:
    for statement in (
        "INSERT INTO orders (a) VALUES (3), (4)",
        "SELECT n FROM numbers",
        "CALL enter(5)",
        "CALL quoted()",
        "UPDATE seen SET line = 'changed'",
        "DO NEXTVAL(back)",
    ):
        maria.ask(name, statement)


async def test_a_clone_never_writes_into_the_base(maria: MariaDb, run_folder: Path) -> None:
    add_what_names_the_base(maria)
    before = state(maria)
    driver = MysqlDriver(base_of(maria.url, run_folder))
    await driver.examine()
    worlds = [await driver.make(0), await driver.make(1)]
    template = driver._template
    assert template is not None
    untouched = maria.ask(template, "SELECT * FROM ids")
    for world in worlds:
        use_everything(maria, world.name)
        assert maria.ask(world.name, "SELECT id FROM orders ORDER BY 1") == ((1,), (2,), (3,), (4,))
        assert maria.ask(world.name, "SELECT DISTINCT line FROM log") == (("changed",),)
        assert maria.ask(world.name, "SELECT NEXTVAL(ids), NEXTVAL(back)") == ((6, 7),)
        with pytest.raises(Exception, match="has run out"):
            maria.ask(world.name, "SELECT NEXTVAL(spent)")
    assert state(maria) == before
    assert maria.ask(template, "SELECT * FROM ids") == untouched
    await driver.close()


async def test_without_data_sequences_begin_anew(maria: MariaDb, run_folder: Path) -> None:
    add_what_names_the_base(maria)
    driver = MysqlDriver(base_of(maria.url, run_folder, data=CopiedData.NONE))
    await driver.examine()
    world = await driver.make(0)
    assert maria.ask(world.name, "SELECT NEXTVAL(ids), NEXTVAL(back)") == ((1, 9),)
    await driver.close()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("CREATE PROCEDURE sly(t TEXT) EXECUTE IMMEDIATE CONCAT('INSERT INTO ', t)", "the procedure 'sly'"),
        ("CREATE VIEW sly AS SELECT '{base}.log' AS x", "the view 'sly'"),
        ("CREATE TRIGGER sly AFTER DELETE ON log FOR EACH ROW SET @s = '{base}.log'", "the trigger 'sly'"),
        ("CREATE TABLE sly (line TEXT) ENGINE=MERGE", "the table 'sly'"),
    ],
)
async def test_what_may_name_the_base_unseen_is_not_cloned(
    statement: str, told: str, maria: MariaDb, run_folder: Path
) -> None:
    add(maria, statement)
    driver = MysqlDriver(base_of(maria.url, run_folder))
    with pytest.raises(CannotIsolate, match=told):
        await driver.examine()
    await driver.close()


async def test_what_came_after_the_look_at_the_base_is_not_cloned_either(
    maria: MariaDb, run_folder: Path
) -> None:
    driver = MysqlDriver(base_of(maria.url, run_folder))
    await driver.examine()
    add(maria, "CREATE PROCEDURE sly(t TEXT) EXECUTE IMMEDIATE t")
    with pytest.raises(CannotIsolate, match="the procedure 'sly'"):
        await driver.make(0)
    await driver.close()


async def test_a_dump_that_names_the_base_is_not_loaded(
    maria: MariaDb, run_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "dump.sql"
    file.write_text(f"USE `{maria.base}`;\nDELETE FROM child;\n")
    source = PlannedDatabase(variable=VARIABLE, sql=str(file))
    driver = MysqlDriver(base_of(maria.url, run_folder, source=source))
    await driver.examine()
    with pytest.raises(InfrastructureError, match="it names the database"):
        await driver.make(0)
    await driver.close()
    assert maria.ask(maria.base, "SELECT COUNT(*) FROM child") == ((1,),)

"""What a definition means by the name of its database; how MySQL writes it is said from its manual."""

import pytest

from e2e_orchestrator.isolation.driver import CannotIsolate
from e2e_orchestrator.isolation.mysql_definitions import Kind, define, names_database

DATA, VIEW, PROGRAM = Kind.DATA, Kind.VIEW, Kind.PROGRAM


def copied(kind: Kind, statement: str, *, mode: str = "", names: tuple[str, ...] = ("test_shop",)) -> str:
    return define("the thing", statement, names=names, kind=kind, mode=mode).within("`copy`")


@pytest.mark.parametrize(
    ("kind", "statement", "expected"),
    [
        pytest.param(
            DATA,
            "CREATE TABLE `t` (`id` int DEFAULT nextval(`test_shop`.`ids`), `a` int DEFAULT (`test_shop`.`f`()))",
            "CREATE TABLE `t` (`id` int DEFAULT nextval(`copy`.`ids`), `a` int DEFAULT (`copy`.`f`()))",
            id="defaults",
        ),
        pytest.param(
            DATA,
            "CREATE TABLE `t` (`a` int /*!80023 INVISIBLE */) /*!50100 PARTITION BY HASH (`test_shop`.`f`(1)) */",
            "CREATE TABLE `t` (`a` int /*!80023 INVISIBLE */) /*!50100 PARTITION BY HASH (`copy`.`f`(1)) */",
            id="what MySQL writes as a comment that is run",
        ),
        pytest.param(
            DATA,
            "CREATE TABLE `t` (`a` text DEFAULT 'it''s \\'test_shop.a', `test_shop` int) COMMENT='test_shop.t'",
            "CREATE TABLE `t` (`a` text DEFAULT 'it''s \\'test_shop.a', `test_shop` int) COMMENT='test_shop.t'",
            id="quoted data, and a column of that name",
        ),
        pytest.param(
            VIEW,
            "CREATE VIEW `v` AS select `test_shop`.`twice`(`o`.`a`),`o`.`test_shop` from `test_shop`.`o`",
            "CREATE VIEW `v` AS select `copy`.`twice`(`o`.`a`),`o`.`test_shop` from `copy`.`o`",
            id="functions and tables of a view",
        ),
        pytest.param(
            PROGRAM,
            "CREATE TRIGGER TEST_SHOP . t AFTER INSERT ON test_shop/* of -- test_shop.x */.`o` FOR EACH ROW\n"
            "SET @test_shop = 'nothing' -- don't\n, @a = test_shop.f()",
            "CREATE TRIGGER `copy` . t AFTER INSERT ON `copy`/* of -- test_shop.x */.`o` FOR EACH ROW\n"
            "SET @test_shop = 'nothing' -- don't\n, @a = `copy`.f()",
            id="a trigger as it was written",
        ),
        pytest.param(
            PROGRAM,
            "CREATE PROCEDURE p() BEGIN PREPARE s FROM 'SELECT 1'; EXECUTE s; END",
            "CREATE PROCEDURE p() BEGIN PREPARE s FROM 'SELECT 1'; EXECUTE s; END",
            id="a statement that is whole",
        ),
        pytest.param(DATA, "CREATE SEQUENCE `test_shopping`", "CREATE SEQUENCE `test_shopping`", id="longer"),
    ],
)
def test_the_copy_names_its_own_database(kind: Kind, statement: str, expected: str) -> None:
    assert copied(kind, statement) == expected


def test_what_is_a_name_depends_on_the_mode() -> None:
    statement = """CREATE FUNCTION f() RETURNS INT RETURN (SELECT "test_shop"."f"() + '\\')"""
    assert '`copy`."f"()' in copied(PROGRAM, statement, mode="ANSI_QUOTES,NO_BACKSLASH_ESCAPES")
    with pytest.raises(CannotIsolate, match="cannot be understood"):
        copied(PROGRAM, statement, mode="ANSI_QUOTES")


def test_the_database_of_the_template_and_the_original_are_both_replaced() -> None:
    statement = "CREATE VIEW `v` AS select `a`.`f`(), `b``c`.`f`()"
    assert (
        copied(VIEW, statement, names=("a", "b`c")) == "CREATE VIEW `v` AS select `copy`.`f`(), `copy`.`f`()"
    )


@pytest.mark.parametrize(
    ("kind", "statement", "why"),
    [
        (VIEW, "CREATE VIEW v AS select `test_shop`.`a` from `o` `test_shop`", "for something else"),
        (PROGRAM, "CREATE PROCEDURE p() DROP DATABASE test_shop", "for something else"),
        (PROGRAM, "CREATE PROCEDURE p() SHOW TABLES FROM `test_shop`", "for something else"),
        (PROGRAM, "CREATE PROCEDURE p() SET @s = 'INSERT INTO `test_shop` . `o` VALUES (1)'", "in a text"),
        (PROGRAM, "CREATE PROCEDURE p() SET @s = 'te\\st_shop.o'", "in a text"),
        (VIEW, "CREATE VIEW v AS select 1 from `t` where `table_schema` = 'TEST_SHOP'", "in a text"),
        (PROGRAM, "CREATE PROCEDURE p() BEGIN PREPARE s FROM @text; END", "puts together"),
        (PROGRAM, "CREATE PROCEDURE p() EXECUTE IMMEDIATE CONCAT('a', 'b')", "puts together"),
        (PROGRAM, "CREATE PROCEDURE p() PREPARE s FROM 'SHOW TABLES IN test_shop'", "that it prepares"),
        (PROGRAM, "CREATE PROCEDURE p() SELECT 'open", "cannot be understood"),
        (PROGRAM, "CREATE PROCEDURE p() SELECT 1 /* open", "cannot be understood"),
    ],
)
def test_what_might_use_the_original_is_refused(kind: Kind, statement: str, why: str) -> None:
    with pytest.raises(CannotIsolate, match=f"^the thing .*{why}"):
        copied(kind, statement)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("-- Host: localhost    Database: test_shop\nCREATE TABLE o (a TEXT DEFAULT 'test_shop.o');", False),
        ("CREATE TABLE test_shop (a INT);", False),
        ("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `test_shop`;", True),
        ("USE test_shop;", True),
        ("INSERT INTO test_shop.o VALUES (1);", True),
        ("CREATE TABLE o (a TEXT DEFAULT 'test_shop);", True),
    ],
)
def test_a_file_that_names_the_database_would_be_loaded_into_it(statements: str, expected: bool) -> None:
    assert names_database(statements, "test_shop") is expected

"""The database itself keeps users apart: by row-level security on PostgreSQL, by views and triggers on SQLite."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from sqlalchemy import Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from studio.database import Database
from studio.schema import GUARDED, brand_kits, own_brand_kits

GUARDED_NAMES = [table.name for table in GUARDED]
POLICIES = text(
    "SELECT tablename, policyname FROM pg_policies"
    " WHERE qual LIKE '%studio_user_id()%' AND with_check LIKE '%studio_user_id()%'"
)
FORCED = text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
TRIGGERS = text("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'")


@pytest.mark.parametrize("table", GUARDED_NAMES)
def test_every_guarded_table_declares_its_protection(database: Database, table: str) -> None:
    with database.as_owner() as connection:
        if database.backend == "postgresql":
            assert table in connection.execute(FORCED).scalars().all()
            assert (table, f"{table}_owner") in {tuple(row) for row in connection.execute(POLICIES)}
        else:
            declared = {tuple(row) for row in connection.execute(TRIGGERS)}
            assert {(table, f"{table}_owner_{action}") for action in ("insert", "update", "delete")} <= declared


def test_the_acting_role_cannot_look_past_the_policies(database: Database, ada: str) -> None:
    with database.acting_as(ada) as connection:
        if database.backend == "postgresql":
            role = text(
                "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = current_user"
            )
            assert tuple(connection.execute(role).one()) == ("studio_member", False, False, False)
        else:
            assert connection.execute(text("SELECT user_id FROM acting_user")).scalars().all() == [ada]


def test_a_user_sees_own_rows_only(database: Database, ada: str, bob: str, add_kit: Callable[..., str]) -> None:
    kits = {user: add_kit(user) for user in (ada, bob)}

    assert {user: _visible(database, user) for user in (ada, bob)} == {user: [kits[user]] for user in (ada, bob)}


def test_nobody_in_particular_sees_nothing(database: Database, ada: str, add_kit: Callable[..., str]) -> None:
    add_kit(ada)

    assert _visible(database, None) == []


@pytest.mark.parametrize("table", GUARDED, ids=lambda table: table.name)
def test_the_view_of_every_table_is_empty_for_a_new_user(database: Database, ada: str, table: Table) -> None:
    with database.acting_as(ada) as connection:
        assert connection.execute(text(f"SELECT count(*) FROM own_{table.name}")).scalar_one() == 0  # noqa: S608


def test_a_row_for_somebody_else_is_refused(database: Database, ada: str, bob: str) -> None:
    row = {"id": uuid.uuid4().hex, "user_id": bob, "name": "Planted"}
    colours = {"primary_colour": "#000000", "accent_colour": "#ffffff"}

    with pytest.raises(DBAPIError, match="row-level security"), database.acting_as(ada) as connection:
        connection.execute(insert(brand_kits).values(row | colours))

    assert _visible(database, bob) == []


def test_a_row_cannot_be_given_away(database: Database, ada: str, bob: str, add_kit: Callable[..., str]) -> None:
    kit = add_kit(ada)

    with pytest.raises(DBAPIError, match="row-level security"), database.acting_as(ada) as connection:
        connection.execute(update(brand_kits).where(brand_kits.c.id == kit).values(user_id=bob))

    assert _visible(database, ada) == [kit]


def test_changing_rows_of_others_touches_none(
    database: Database, ada: str, bob: str, add_kit: Callable[..., str]
) -> None:
    kit = add_kit(bob)

    with database.acting_as(ada) as connection:
        changed = connection.execute(update(brand_kits).where(brand_kits.c.id == kit).values(name="Taken over"))
        assert changed.rowcount == 0

    with database.acting_as(bob) as connection:
        assert connection.execute(select(own_brand_kits.c.name)).scalars().all() == ["Main"]


def test_deleting_rows_of_others_touches_none(
    database: Database, ada: str, bob: str, add_kit: Callable[..., str]
) -> None:
    kits = {user: add_kit(user) for user in (ada, bob)}

    with database.acting_as(ada) as connection:
        deleted = connection.execute(delete(brand_kits).where(brand_kits.c.id.in_(kits.values())))
        assert deleted.rowcount == 1

    assert _visible(database, bob) == [kits[bob]]


def test_acting_as_somebody_ends_with_the_transaction(database: Database, ada: str) -> None:
    with database.acting_as(ada):
        pass

    with database.as_owner() as connection:
        if database.backend == "postgresql":
            assert connection.execute(text("SELECT studio_user_id()")).scalar_one() is None
            assert connection.execute(text("SELECT current_user = session_user")).scalar_one() is True
        else:
            assert connection.execute(text("SELECT count(*) FROM acting_user")).scalar_one() == 0


def _visible(database: Database, user_id: str | None) -> list[str]:
    with database.acting_as(user_id) as connection:
        return list(connection.execute(select(own_brand_kits.c.id)).scalars())

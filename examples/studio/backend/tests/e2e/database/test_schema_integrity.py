"""The tables are what the program believes, and refuse what must not be in them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, Table, delete, insert, inspect, select
from sqlalchemy.exc import IntegrityError

from studio.database import Database
from studio.schema import GUARDED, assets, brand_kits, coach_progress, jobs, metadata, own_brand_kits, users
from studio.settings import Settings


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_a_table_has_its_columns_and_keys(database: Database, table: Table) -> None:
    inspector = inspect(database.engine)

    columns = {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)}

    assert columns == {column.name: column.nullable for column in table.columns}
    assert inspector.get_pk_constraint(table.name)["constrained_columns"] == [key.name for key in table.primary_key]
    assert _foreign_keys(database.engine, table) == {
        (key.parent.name, key.column.table.name) for key in table.foreign_keys
    }


@pytest.mark.parametrize("table", GUARDED, ids=lambda table: table.name)
def test_a_guarded_table_has_its_view(database: Database, table: Table) -> None:
    inspector = inspect(database.engine)

    assert f"own_{table.name}" in inspector.get_view_names()
    shown = [column["name"] for column in inspector.get_columns(f"own_{table.name}")]
    assert shown == [column.name for column in table.columns]


def test_an_email_address_is_unique(database: Database, ada: str) -> None:
    row = {"id": uuid.uuid4().hex, "email": f"{ada}@example.com", "display_name": "Twin", "password_hash": "none"}

    with pytest.raises(IntegrityError), database.as_owner() as connection:
        connection.execute(insert(users).values(row))


@pytest.mark.parametrize(
    ("table", "broken"),
    [
        (brand_kits, {"name": ""}),
        (brand_kits, {"primary_colour": "#fff"}),
        (brand_kits, {"name": None}),
        (jobs, {"state": "paused"}),
        (jobs, {"brand_kit_id": "nowhere"}),
        (assets, {"width": 0}),
        (assets, {"job_id": "nowhere"}),
        (coach_progress, {"tip_id": None}),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else str(value),
)
def test_a_row_that_makes_no_sense_is_refused(
    database: Database, ada: str, add_job: Callable[[str], str], table: Table, broken: dict[str, Any]
) -> None:
    row = _valid_row(table, owner=ada, job_id=add_job(ada)) | broken

    with pytest.raises(IntegrityError), database.acting_as(ada) as connection:
        connection.execute(insert(table).values(row))


@pytest.mark.parametrize("table", GUARDED, ids=lambda table: table.name)
def test_the_rows_above_were_refused_for_the_one_broken_field(
    database: Database, ada: str, add_job: Callable[[str], str], table: Table
) -> None:
    row = _valid_row(table, owner=ada, job_id=add_job(ada))

    with database.acting_as(ada) as connection:
        connection.execute(insert(table).values(row))


def test_what_belongs_to_a_user_leaves_with_the_user(
    database: Database, new_user: Callable[[], str], add_kit: Callable[..., str]
) -> None:
    leaver, stayer = new_user(), new_user()
    kits = {user: add_kit(user) for user in (leaver, stayer)}

    with database.as_owner() as connection:
        connection.execute(delete(users).where(users.c.id == leaver))

    for user, left in ((leaver, []), (stayer, [kits[stayer]])):
        with database.acting_as(user) as connection:
            assert connection.execute(select(own_brand_kits.c.id)).scalars().all() == left


def test_preparing_again_and_at_once_changes_nothing(settings: Settings, database: Database) -> None:
    before = sorted(inspect(database.engine).get_table_names())

    def prepare(_: int) -> None:
        another = Database(settings.database_url)
        another.prepare()
        another.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(prepare, range(3)))

    assert sorted(inspect(database.engine).get_table_names()) == before


def _valid_row(table: Table, *, owner: str, job_id: str) -> dict[str, Any]:
    colours = {"primary_colour": "#000000", "accent_colour": "#ffffff"}
    image = {"title": "Hello", "width": 1, "height": 1, "bytes": 1, "file_key": "none", "asset_type": "emote"}
    rows: dict[str, dict[str, Any]] = {
        "brand_kits": {"name": "Main", **colours},
        "jobs": {"asset_type": "emote", "title": "Hello"},
        "assets": {"job_id": job_id, **image},
        "coach_progress": {"tip_id": 1},
    }
    identity = {"id": uuid.uuid4().hex} if "id" in table.columns else {}
    return {"user_id": owner, **identity, **rows[table.name]}


def _foreign_keys(engine: Engine, table: Table) -> set[tuple[str, str]]:
    found = inspect(engine).get_foreign_keys(table.name)
    return {(key["constrained_columns"][0], key["referred_table"]) for key in found}

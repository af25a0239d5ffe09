"""The database answers, and the API uses this one."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from actors import Streamer
from studio.database import Database
from studio.schema import VERSION, schema_version, users
from studio.settings import Settings


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url)
    yield database
    database.close()


def test_the_api_reaches_the_database(http: httpx.Client) -> None:
    answer = http.get("/health/database")

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ok"


def test_the_api_uses_the_kind_of_database_we_mean(http: httpx.Client, database: Database) -> None:
    assert http.get("/health/database").json()["backend"] == database.backend


def test_the_schema_has_the_expected_version(database: Database) -> None:
    with database.as_owner() as connection:
        assert connection.execute(select(schema_version.c.version)).scalar_one() == VERSION


def test_a_registration_arrives_here(database: Database, streamer: Streamer) -> None:
    with database.as_owner() as connection:
        query = select(users.c.display_name).where(users.c.email == streamer.email)
        assert connection.execute(query).scalar_one() == "Robin"

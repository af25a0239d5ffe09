"""The database itself, and two users who live in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import delete, insert

from studio.database import Database
from studio.schema import GUARDED, brand_kits, jobs, users
from studio.settings import Settings


@pytest.fixture(scope="session")
def database(settings: Settings) -> Iterator[Database]:
    """Connect to where the API keeps its things, prepared as the API would."""
    database = Database(settings.database_url)
    database.prepare()
    yield database
    database.close()


@pytest.fixture
def new_user(database: Database) -> Iterator[Callable[[], str]]:
    """Create users; they are gone after the test, with all they own."""
    created: list[str] = []

    def create() -> str:
        user_id = uuid.uuid4().hex
        row = {"id": user_id, "email": f"{user_id}@example.com", "display_name": "Kim", "password_hash": "none"}
        with database.as_owner() as connection:
            connection.execute(insert(users).values(row))
        created.append(user_id)
        return user_id

    yield create
    for user_id in created:
        with database.acting_as(user_id) as connection:
            for table in reversed(GUARDED):
                connection.execute(delete(table).where(table.c.user_id == user_id))
        with database.as_owner() as connection:
            connection.execute(delete(users).where(users.c.id == user_id))


@pytest.fixture
def ada(new_user: Callable[[], str]) -> str:
    """One user."""
    return new_user()


@pytest.fixture
def bob(new_user: Callable[[], str]) -> str:
    """Another user."""
    return new_user()


@pytest.fixture
def add_kit(database: Database) -> Callable[..., str]:
    """Add a brand kit for a user and return its id."""

    def add(owner: str, name: str = "Main") -> str:
        kit_id = uuid.uuid4().hex
        colours = {"primary_colour": "#000000", "accent_colour": "#ffffff"}
        with database.acting_as(owner) as connection:
            connection.execute(insert(brand_kits).values(id=kit_id, user_id=owner, name=name, **colours))
        return kit_id

    return add


@pytest.fixture
def add_job(database: Database) -> Callable[[str], str]:
    """Add a queued job for a user and return its id."""

    def add(owner: str) -> str:
        job_id = uuid.uuid4().hex
        with database.acting_as(owner) as connection:
            connection.execute(insert(jobs).values(id=job_id, user_id=owner, asset_type="emote", title="Hello"))
        return job_id

    return add

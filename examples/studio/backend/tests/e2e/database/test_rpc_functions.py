"""What the database computes itself: stored functions on PostgreSQL, views and triggers on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from studio import procedures
from studio.database import Database
from studio.schema import brand_kits, jobs, own_brand_kits, own_jobs

EXPECTED = {
    "postgresql": (
        text("SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"),
        {"studio_user_id", "studio_usage", "brand_kits_left", "claim_job", "guard_job_state", "touch_updated_at"},
    ),
    "sqlite": (
        text("SELECT name FROM sqlite_master WHERE type IN ('view', 'trigger')"),
        {"studio_usage", "brand_kits_taken", "claim_job", "claim_job_call", "jobs_state", "brand_kits_touch"},
    ),
}


def test_everything_is_installed(database: Database) -> None:
    query, names = EXPECTED[database.backend]

    with database.as_owner() as connection:
        assert names <= set(connection.execute(query).scalars())


def test_usage_counts_what_the_user_has(
    database: Database, ada: str, bob: str, add_kit: Callable[..., str], add_job: Callable[[str], str]
) -> None:
    add_kit(ada, "One")
    add_kit(ada, "Two")
    add_kit(bob)
    add_job(ada)

    with database.acting_as(ada) as connection:
        assert procedures.usage(connection) == {"brand_kits": 2, "assets": 0, "asset_bytes": 0, "open_jobs": 1}


def test_usage_of_nobody_is_nothing(database: Database, ada: str, add_kit: Callable[..., str]) -> None:
    add_kit(ada)

    with database.acting_as(None) as connection:
        assert set(procedures.usage(connection).values()) == {0}


@pytest.mark.parametrize(("limit", "left"), [(10, 8), (3, 1), (2, 0), (1, 0)])
def test_the_places_left_never_go_below_zero(
    database: Database, ada: str, add_kit: Callable[..., str], limit: int, left: int
) -> None:
    add_kit(ada, "One")
    add_kit(ada, "Two")

    with database.acting_as(ada) as connection:
        assert procedures.brand_kits_left(connection, limit=limit) == left


def test_a_job_is_claimed_once(database: Database, ada: str, add_job: Callable[[str], str]) -> None:
    job = add_job(ada)

    def claim(_: int) -> bool:
        with database.acting_as(ada) as connection:
            return procedures.claim_job(connection, job)

    with ThreadPoolExecutor(4) as pool:
        claims = sorted(pool.map(claim, range(4)))

    assert claims == [False, False, False, True]
    assert _state(database, ada, job) == "running"


def test_a_job_of_somebody_else_cannot_be_claimed(
    database: Database, ada: str, bob: str, add_job: Callable[[str], str]
) -> None:
    job = add_job(bob)

    with database.acting_as(ada) as connection:
        assert procedures.claim_job(connection, job) is False

    assert _state(database, bob, job) == "queued"


def test_a_job_goes_forward_step_by_step(database: Database, ada: str, add_job: Callable[[str], str]) -> None:
    job = add_job(ada)

    for state in ("running", "done"):
        _move(database, ada, job, state)

    assert _state(database, ada, job) == "done"


@pytest.mark.parametrize(("steps", "forbidden"), [([], "done"), (["running"], "queued"), (["failed"], "running")])
def test_a_job_does_not_jump_or_return(
    database: Database, ada: str, add_job: Callable[[str], str], steps: list[str], forbidden: str
) -> None:
    job = add_job(ada)
    for state in steps:
        _move(database, ada, job, state)

    with pytest.raises(DBAPIError, match="a job cannot go"):
        _move(database, ada, job, forbidden)


def test_changing_a_kit_touches_its_date(database: Database, ada: str, add_kit: Callable[..., str]) -> None:
    kit = add_kit(ada)
    yesterday = _updated_at(database, ada) - timedelta(days=1)  # SQLite's clock has milliseconds only.
    with database.acting_as(ada) as connection:
        connection.execute(update(brand_kits).where(brand_kits.c.id == kit).values(updated_at=yesterday))
    before = _updated_at(database, ada)

    with database.acting_as(ada) as connection:
        connection.execute(update(brand_kits).where(brand_kits.c.id == kit).values(name="Renamed"))

    assert _updated_at(database, ada) > before


def _move(database: Database, user_id: str, job_id: str, state: str) -> None:
    with database.acting_as(user_id) as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(state=state))


def _state(database: Database, user_id: str, job_id: str) -> str:
    with database.acting_as(user_id) as connection:
        return str(connection.execute(select(own_jobs.c.state).where(own_jobs.c.id == job_id)).scalar_one())


def _updated_at(database: Database, user_id: str) -> datetime:
    with database.acting_as(user_id) as connection:
        moment: datetime = connection.execute(select(own_brand_kits.c.updated_at)).scalar_one()
    return moment

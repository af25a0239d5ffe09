"""What dead runs leave on a real PostgreSQL, and how it is told from what living runs and others have."""

import time
from pathlib import Path

import pytest
from psycopg import sql
from servers import Postgres, a_run_id, base_of

from e2e_orchestrator.isolation.names import clone_name, lock_number
from e2e_orchestrator.isolation.postgres import PostgresDriver
from e2e_orchestrator.isolation.postgres_orphans import orphans, unmarked

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_what_a_dead_run_left_is_found_and_what_a_living_one_has_is_not(
    postgres: Postgres, run_folder: Path
) -> None:
    base = base_of(postgres.url, run_folder)
    driver = PostgresDriver(base)
    await driver.examine()
    name = (await driver.make(0)).name
    ours = [
        one.name for one in await orphans(base, dead=lambda _: True) if one.name.startswith(postgres.base)
    ]
    assert ours == [], "the run holds its lock on the server"
    _let_go(postgres, run_folder.name)
    assert [one.name for one in await orphans(base, dead=lambda _: False)] == []
    found = [one for one in await orphans(base, dead=lambda _: True) if one.name.startswith(postgres.base)]
    assert name in [one.name for one in found]
    for one in found:
        await one.remove()
    assert postgres.clones() == []
    await driver.close()


async def test_a_clone_whose_run_was_killed_before_it_could_mark_it_is_told(
    postgres: Postgres, run_folder: Path
) -> None:
    """The server ends the copy that nobody waits for any more."""
    base = base_of(postgres.url, run_folder)
    driver = PostgresDriver(base)
    await driver.examine()
    bare, somebodys = base.name(0), clone_name(postgres.base, run_id=a_run_id(), part=0)
    postgres.create(bare)
    postgres.create(somebodys)
    postgres.admin.execute(sql.SQL("COMMENT ON DATABASE {} IS 'mine'").format(sql.Identifier(somebodys)))
    try:
        assert not any(bare in one for one in await unmarked(base)), "its run goes on"
        _let_go(postgres, run_folder.name)
        [told] = [one for one in await unmarked(base) if postgres.base in one]
        assert f"a name of run {run_folder.name}" in told
        assert told.endswith(f"DROP DATABASE {bare};")
    finally:
        postgres.ask("postgres", f"DROP DATABASE {bare}")
        postgres.ask("postgres", f"DROP DATABASE {somebodys}")
        await driver.close()


def _let_go(postgres: Postgres, run_id: str) -> None:
    """As if the run's process had died: the server ends its session."""
    number = lock_number(f"e2e-orchestrator run {run_id}") & 0xFFFFFFFFFFFFFFFF
    query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s"
    halves = (number >> 32, number & 0xFFFFFFFF)
    postgres.admin.execute(query, halves)
    until = time.monotonic() + 5
    while postgres.admin.execute(query.replace("pg_terminate_backend(pid)", "1"), halves).fetchone():
        assert time.monotonic() < until

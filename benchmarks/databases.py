"""F: databases for tests: how many a second, how long until a slot has its own, how long until it is as new.

Needs a PostgreSQL at 127.0.0.1:5432, or where PGHOST says; makes a base of its own there, and drops it.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import django_databases
import psycopg
from table import Row, markdown

from e2e_orchestrator.isolation.address import parse
from e2e_orchestrator.isolation.driver import Base, Owner
from e2e_orchestrator.isolation.postgres import PostgresDriver
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase
from e2e_orchestrator.model.safeguards import Safeguards

SECTION = "F. Databases: PostgreSQL, 60 tables, 11 MB"
_TABLES, _ROWS = 60, 600
_DIRTY = 5
_CLONES = 8


def rows(rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as place, _base() as url:
        found = [_row("first slot: template and clone", *_each(url, Path(place), rounds, _first))]
        found.append(_row("next slot", *_each(url, Path(place), rounds, _next)))
        found.append(_row("reset by clone", *_each(url, Path(place), rounds, _reset)))
        for at_once in (1, 2, 4, 8):
            walls, note = _each(url, Path(place), rounds, _clones_at_once(at_once))
            rate = f"{_CLONES / statistics.median(walls):.1f} a second"
            name = f"{_CLONES} clones, {at_once} at once"
            found.append(Row(section=SECTION, contestant=name, figure=rate, spread=_spread(walls), note=note))
        found += [_row(name, _timed(url, rounds, act), "") for name, act in _PEERS.items()]
        return [*found, *_of_django(url.rpartition("/")[0], Path(place), rounds)]


def _of_django(server: str, place: Path, rounds: int) -> list[Row]:
    """Until each of eight workers of a Django project has a database; in turns, so that all meet the same noise."""
    folder = place / "project"
    django_databases.write(folder, tables=_TABLES, rows=_ROWS)
    walls: dict[str, list[float]] = {name: [] for name in django_databases.CONTESTANTS}
    for _ in range(rounds):
        for name, measure in django_databases.CONTESTANTS.items():
            walls[name].append(measure(folder, server))
    return [_row(name, took, _rate(name, took)) for name, took in walls.items()]


def _rate(name: str, took: list[float]) -> str:
    """The others' clocks begin in a process that has imported Django; ours has yet to start one."""
    start = ", with the start of `manage.py migrate`" if name in django_databases.STARTING else ""
    return f"{django_databases.WORKERS / statistics.median(took):.1f} databases a second{start}"


def smoke() -> list[Row]:
    """What a slot costs, once."""
    with tempfile.TemporaryDirectory() as place, _base() as url:
        return [_row("first slot: template and clone", *_each(url, Path(place), 1, _first))]


def main() -> None:
    print(markdown(rows(int(sys.argv[1]) if len(sys.argv) > 1 else 5)))


Act = Callable[[PostgresDriver], Awaitable[float]]


def _each(url: str, folder: Path, rounds: int, act: Act) -> tuple[list[float], str]:
    """Seconds of each round, each by a driver of its own as in a run of its own."""
    return [asyncio.run(_with_driver(url, folder, act)) for _ in range(rounds)], ""


async def _with_driver(url: str, folder: Path, act: Act) -> float:
    base = Base(
        variable="DATABASE_URL",
        address=parse(url, variable="DATABASE_URL"),
        source=PlannedDatabase(variable="DATABASE_URL"),
        data=CopiedData.COPY,
        owner=Owner(run_id=f"bench-{uuid4().hex[:8]}", folder=folder),
        rules=Safeguards(),
    )
    driver = PostgresDriver(base)
    try:
        await driver.examine()
        return await act(driver)
    finally:
        await driver.close()


async def _seconds(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _first(driver: PostgresDriver) -> float:
    return await _seconds(driver.make(0))


async def _next(driver: PostgresDriver) -> float:
    await driver.make(0)
    return await _seconds(driver.make(1))


async def _reset(driver: PostgresDriver) -> float:
    await driver.make(0)
    return await _seconds(driver.reset(0))


def _clones_at_once(at_once: int) -> Act:
    async def act(driver: PostgresDriver) -> float:
        await driver.make(0)
        places = asyncio.Semaphore(at_once)

        async def make(slot: int) -> None:
            async with places:
                await driver.make(slot)

        return await _seconds(asyncio.gather(*(make(slot) for slot in range(1, _CLONES + 1))))

    return act


def _truncate(connection: psycopg.Connection) -> None:
    connection.execute(f"TRUNCATE {', '.join(f't{at}' for at in range(_TABLES))} RESTART IDENTITY CASCADE")


def _delete(connection: psycopg.Connection) -> None:
    for at in range(_DIRTY):
        connection.execute(f"DELETE FROM t{at}")


def _roll_back(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("INSERT INTO t0 (text) VALUES ('x')")


# What else makes a database as new, if it is enough: the clean-up alone, without the rows that it removes.
_PEERS: dict[str, Callable[[psycopg.Connection], None]] = {
    "TRUNCATE of all tables": _truncate,
    f"DELETE from {_DIRTY} tables": _delete,
    "transaction, rolled back": _roll_back,
}


def _timed(url: str, rounds: int, act: Callable[[psycopg.Connection], None]) -> list[float]:
    walls = []
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(rounds):
            for at in range(_DIRTY):
                connection.execute(f"INSERT INTO t{at} (text) VALUES ('x')")
            began = time.perf_counter()
            act(connection)
            walls.append(time.perf_counter() - began)
    return walls


def _row(name: str, walls: list[float], note: str) -> Row:
    return Row(
        section=SECTION, contestant=name, wall=statistics.median(walls), spread=_spread(walls), note=note
    )


def _spread(walls: list[float]) -> float:
    return (max(walls) - min(walls)) / statistics.median(walls)


@contextmanager
def _base() -> Iterator[str]:
    server = (
        f"postgresql://{os.environ.get('PGUSER', 'postgres')}@{os.environ.get('PGHOST', '127.0.0.1')}:5432"
    )
    name = f"test_bench_{uuid4().hex[:8]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            with psycopg.connect(f"{server}/{name}", autocommit=True) as made:
                for at in range(_TABLES):
                    made.execute(f"CREATE TABLE t{at} (id serial PRIMARY KEY, text text)")
                    made.execute(
                        f"INSERT INTO t{at} (text) SELECT repeat('x', 40) FROM generate_series(1, {_ROWS})"
                    )
            yield f"{server}/{name}"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    main()

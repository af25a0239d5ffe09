"""Real servers of this machine, and bases on them that are gone after each test, with everything made of them."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pymysql
import pytest
from servers import MariaDb, Postgres, Redis

POSTGRES = (
    f"postgresql://{os.environ.get('PGUSER', 'postgres')}:{os.environ.get('PGPASSWORD', '')}@127.0.0.1:5432"
)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """With a base that has two tables, a view, a sequence and rows."""
    name = f"test_leases_{uuid4().hex[:8]}"
    try:
        admin = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        pytest.skip(f"needs PostgreSQL at 127.0.0.1:5432: {error}")
    with closing(admin):
        server = Postgres(admin=admin, base=name, server=POSTGRES)
        server.create(name)
        try:
            yield server
            left = server.clones()
        finally:
            server.remove_everything()
    assert left == [], "databases were left on the server"


@pytest.fixture
def maria() -> Iterator[MariaDb]:
    """With a base that has a bit of everything a schema may hold."""
    name = f"test_leases_{uuid4().hex[:8]}"
    try:
        admin = pymysql.connect(host="127.0.0.1", user="root", autocommit=True, connect_timeout=3)
    except pymysql.Error as error:
        pytest.skip(f"needs MariaDB or MySQL at 127.0.0.1:3306: {error}")
    with closing(admin):
        server = MariaDb(admin=admin, base=name)
        server.create(name)
        try:
            yield server
            left = server.clones()
        finally:
            server.remove_everything()
    assert left == [], "databases were left on the server"


@pytest.fixture
def redis() -> Iterator[Redis]:
    server = Redis("redis://127.0.0.1:6379/0")
    if why := server.silent():
        pytest.skip(f"needs Redis at 127.0.0.1:6379: {why}")
    before = server.claims()
    yield server
    assert server.claims() <= before, "numbered databases are still claimed"


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "20261120-120000-abcdef"
    folder.mkdir(parents=True)
    return folder

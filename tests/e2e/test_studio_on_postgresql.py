"""The backend phases pass on a real PostgreSQL and a real Redis, against services that run already."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from support.project import Project, processes
from support.studio import BACKEND_PHASES, ROOT, studio, surroundings

psycopg = pytest.importorskip(
    "psycopg", reason="the studio's requirements are not installed; run scripts/test"
)
redis = pytest.importorskip("redis", reason="the studio's requirements are not installed; run scripts/test")

SERVER = (
    f"postgresql://{os.environ.get('PGUSER', 'postgres')}:{os.environ.get('PGPASSWORD', '')}@127.0.0.1:5432"
)

pytestmark = pytest.mark.slow


@pytest.fixture
def database_url() -> Iterator[str]:
    """A database of our own on the real server, dropped at the end."""
    name = f"studio_test_{uuid4().hex[:12]}"
    try:
        server = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        pytest.skip(f"needs PostgreSQL at 127.0.0.1:5432: {error}")
    with closing(server):
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{SERVER}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A numbered database that nobody uses on the real server, emptied at the end."""
    for number in range(15, 0, -1):
        url = f"redis://127.0.0.1:6379/{number}"
        with redis.Redis.from_url(url, socket_connect_timeout=3) as client:
            try:
                used = client.dbsize()
            except redis.ConnectionError as error:
                pytest.skip(f"needs Redis at 127.0.0.1:6379: {error}")
            if used == 0:
                yield url
                client.flushdb()
                return
    pytest.fail("all numbered databases of the Redis at 127.0.0.1:6379 hold something")


def test_the_backend_phases_pass_on_postgresql_and_redis(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    env = {**surroundings(tmp_path), "DATABASE_URL": database_url, "REDIS_URL": redis_url}
    orchestrator = Project(ROOT, env=env)
    with studio(env, "api", "web"):
        started = orchestrator.start(
            "--no-services", "--phase", *BACKEND_PHASES, "--output", str(tmp_path / "results")
        )
        run = orchestrator.finish(started, output=str(tmp_path / "results"))
    assert run.exit_code == 0, run.stdout + run.stderr
    assert run.ends == dict.fromkeys(run.tests, "passed")
    assert len(run.tests) == 19
    assert processes(str(tmp_path)) == []

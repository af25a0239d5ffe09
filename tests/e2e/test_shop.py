"""The shop of examples/shop: the same tests by every way to run them."""

import asyncio
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from support.project import Project
from support.shop import ROOT, SHOP, shop_python

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.address import parse
from e2e_orchestrator.isolation.resp import Resp

TESTS = 48
REDIS = "redis://127.0.0.1:6379/0"
SERVER = f"postgresql://{os.environ.get('PGUSER', 'postgres')}@127.0.0.1:5432"
NOTHING = {"DATABASE_URL": "", "REDIS_URL": ""}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> str:
    return shop_python()


@pytest.fixture(params=["SQLite and no Redis", "PostgreSQL and Redis"])
def servers(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What the shop finds in its environment; of what it makes on a server only the template may stay."""
    if request.param == "SQLite and no Redis":
        yield NOTHING
        return
    try:
        asyncio.run(_ping())
        admin = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=3)
    except (InfrastructureError, psycopg.OperationalError) as error:
        pytest.skip(f"needs PostgreSQL and Redis on this machine: {error}")
    name = f"shop_{uuid4().hex[:8]}"
    with closing(admin):
        try:
            yield {"DATABASE_URL": f"{SERVER}/{name}", "REDIS_URL": REDIS}
            left = _databases(admin, name)
        finally:
            for one in _databases(admin, name):
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(one)))
    assert [one for one in left if not one.endswith("_template")] == []


def _databases(admin: "psycopg.Connection[Any]", name: str) -> list[str]:
    found = admin.execute("SELECT datname FROM pg_database WHERE strpos(datname, %s) > 0", (name,))
    return [str(one) for (one,) in found.fetchall()]


async def _ping() -> None:
    redis = await Resp.connect(parse(REDIS, variable="REDIS_URL"))
    await redis.close()


def run(*argv: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        argv,
        cwd=SHOP,
        env={**kept, **env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_release_gate_of_the_shop(python: str, servers: dict[str, str], tmp_path: Path) -> None:
    project, output = Project(SHOP), str(tmp_path / "out")
    environ = {"SHOP_PYTHON": python, "SHOP_ADMIN": "1", **servers}
    done = project.finish(
        project.start("--report", "json", "--output", output, env=environ), output=output, longest=400
    )
    assert done.exit_code == 0, done.stdout + done.stderr
    cases = Counter(
        case["status"]
        for name, test in done.tests.items()
        if name != "lint/ruff"
        for attempt in test["attempts"]
        for case in test["cases"]
    )
    assert cases == {"passed": TESTS}
    logs = [log.read_text() for log in (done.folder / "services").glob("slot-*/worker.log")]
    done_by_workers = re.findall(r"Task (\S+)\[.*succeeded", "".join(logs))
    expected = {"orders.tasks.confirm": 3, "catalog.tasks.write_price_list": 1}
    assert Counter(done_by_workers) == (expected if servers["REDIS_URL"] else {})


def test_its_tests_by_manage_py(python: str, servers: dict[str, str]) -> None:
    runner = "--runner=e2e_orchestrator.contrib.django.ConcurrentTestRunner"
    done = run(python, "manage.py", "test", runner, "--benchmark", "--workers=2", env=servers)
    assert done.returncode == 0, done.stderr
    assert f"Ran {TESTS} tests" in done.stderr
    assert "\nOK\n" in done.stderr


def test_its_tests_by_pytest(python: str, servers: dict[str, str]) -> None:
    done = run(python, "-m", "pytest", "-p", "no:cacheprovider", "--concurrent", "--workers=2", env=servers)
    assert done.returncode == 0, done.stdout
    assert re.search(rf"\b{TESTS} passed", done.stdout)

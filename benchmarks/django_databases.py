"""A Django project with the schema of section F: what its own tools take to give eight workers a database each."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import tools
from table import command

from e2e_orchestrator.isolation.address import parse
from e2e_orchestrator.isolation.driver import Base, Owner
from e2e_orchestrator.isolation.postgres import PostgresDriver
from e2e_orchestrator.isolation.postgres_orphans import orphans
from e2e_orchestrator.model.isolation import CopiedData, PlannedDatabase
from e2e_orchestrator.model.safeguards import Safeguards

WORKERS = 8
_VARIABLE = "DATABASE_URL"

_FILES = {
    "manage.py": """
        import os
        from django.core.management import execute_from_command_line
        import sys

        if __name__ == "__main__":
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
            execute_from_command_line(sys.argv)
    """,
    "settings.py": """
        import os
        from urllib.parse import urlsplit

        parts = urlsplit(os.environ["DATABASE_URL"])
        DATABASES = {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.path[1:],
                "USER": parts.username,
                "HOST": parts.hostname,
                "PORT": parts.port,
            }
        }
        INSTALLED_APPS = ["things"]
        SECRET_KEY = "x"
        TEST_RUNNER = "timing.Runner"
        DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
    """,
    "things/__init__.py": "",
    "things/models.py": """
        from django.db import models

        for at in range({tables}):
            meta = type("Meta", (), {"db_table": f"t{at}"})
            fields = {"__module__": __name__, "text": models.TextField(null=True), "Meta": meta}
            globals()[f"T{at}"] = type(f"T{at}", (models.Model,), fields)
    """,
    "things/migrations/__init__.py": "",
    "things/migrations/0001_initial.py": """
        from django.db import migrations, models

        ROWS = "INSERT INTO t{} (text) SELECT repeat('x', 40) FROM generate_series(1, {rows})"


        class Migration(migrations.Migration):
            operations = [
                step
                for at in range({tables})
                for step in (
                    migrations.CreateModel(
                        f"T{at}",
                        [("id", models.AutoField(primary_key=True)), ("text", models.TextField(null=True))],
                        {"db_table": f"t{at}"},
                    ),
                    migrations.RunSQL(ROWS.format(at)),
                )
            ]
    """,
    "test_with.py": """
        import pytest
        from things import models


        @pytest.mark.django_db
        @pytest.mark.parametrize("worker", range({workers}))
        def test_it(worker):
            assert models.T0.objects.count() == {rows}
    """,
    "conftest.py": """
        import pytest
        from timing import timed


        @pytest.hookimpl(wrapper=True)
        def pytest_fixture_setup(fixturedef):
            if fixturedef.argname != "django_db_setup":
                return (yield)
            with timed():
                return (yield)
    """,
    "timing.py": """
        import os
        import time
        from contextlib import contextmanager

        from django.test.runner import DiscoverRunner


        @contextmanager
        def timed():
            began = time.time()
            yield
            with open(os.environ["BENCH_TIMES"], "a") as file:
                file.write(f"{began} {time.time()}\\n")


        class Runner(DiscoverRunner):
            def setup_databases(self, **options):
                with timed():
                    return super().setup_databases(**options)
    """,
    "with_databases.py": """
        from django.test import TestCase
        from things import models


        class Base:
            def test_it(self):
                assert models.T0.objects.count() == {rows}


        for at in range({workers}):
            globals()[f"Tests{at}"] = type(f"Tests{at}", (Base, TestCase), {"__module__": __name__})
    """,
}


def write(folder: Path, *, tables: int, rows: int) -> None:
    values = {"{tables}": tables, "{rows}": rows, "{workers}": WORKERS}
    for name, text in _FILES.items():
        filled = text
        for word, value in values.items():
            filled = filled.replace(word, str(value))
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "\n".join(line.removeprefix(" " * 8) for line in filled.strip("\n").splitlines()) + "\n"
        )


def pytest_django(folder: Path, server: str) -> float:
    """Seconds from the first worker that begins to set up its database to the last that has it."""
    words = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n",
        str(WORKERS),
        "--create-db",
        "--ds=settings",
    )
    return _timed(folder, server, (*words, "test_with.py"), times=WORKERS)


def manage_py(folder: Path, server: str) -> float:
    """Seconds of Django's own ``setup_databases``."""
    words = ("manage.py", "test", "--noinput", "--parallel", str(WORKERS), "with_databases")
    return _timed(folder, server, words, times=1)


def _timed(folder: Path, server: str, words: tuple[str, ...], *, times: int) -> float:
    log = folder / f"times-{uuid4().hex}"
    env = {_VARIABLE: f"{server}/bench_{uuid4().hex[:8]}", "BENCH_TIMES": str(log)}
    command([tools.tool("python"), *words], cwd=folder, env=env)
    measured = [[float(word) for word in line.split()] for line in log.read_text().splitlines()]
    if len(measured) != times:
        raise RuntimeError(f"{len(measured)} set-ups of databases, not {times}")
    return max(end for _, end in measured) - min(began for began, _ in measured)


def ours(folder: Path, server: str, *, again: bool) -> float:
    """Seconds until eight slots have their clones; ``again`` where an earlier run has left the template."""
    return asyncio.run(_ours(folder, f"{server}/bench_{uuid4().hex[:8]}", again=again))


async def _ours(folder: Path, url: str, *, again: bool) -> float:
    first = _base(folder, url)
    try:
        took = await _clones(first)
        return await _clones(_base(folder, url)) if again else took
    finally:
        for one in await orphans(first, dead=lambda marker: marker.folder == str(folder), kept=True):
            await one.remove()


def _base(folder: Path, url: str) -> Base:
    async def migrate(source: PlannedDatabase, made: str) -> None:
        child = await asyncio.create_subprocess_exec(
            *source.migrate, cwd=folder, env={**os.environ, _VARIABLE: made}
        )
        if await child.wait():
            raise RuntimeError("the migrations failed")

    source = PlannedDatabase(
        variable=_VARIABLE,
        migrate=(tools.tool("python"), "manage.py", "migrate", "--verbosity=0"),
        cwd=str(folder),
        schema_files=(str(folder / "things" / "migrations" / "0001_initial.py"),),
    )
    return Base(
        variable=_VARIABLE,
        address=parse(url, variable=_VARIABLE),
        source=source,
        data=CopiedData.COPY,
        owner=Owner(run_id=f"bench-{uuid4().hex[:8]}", folder=folder),
        rules=Safeguards(),
        migrate=migrate,
    )


async def _clones(base: Base) -> float:
    driver = PostgresDriver(base)
    try:
        await driver.examine()
        began = time.perf_counter()
        await asyncio.gather(*(driver.make(slot) for slot in range(WORKERS)))
        return time.perf_counter() - began
    finally:
        await driver.close()


Measure = Callable[[Path, str], float]

_FROM_NOTHING = f"ours, {WORKERS} slots: migrations once, clones"
STARTING = (_FROM_NOTHING,)
"""Those whose time has the start of a process in it."""

CONTESTANTS: dict[str, Measure] = {
    f"pytest-django, -n {WORKERS}: migrations in each": pytest_django,
    f"manage.py test --parallel {WORKERS}: migrations once, Django's clones": manage_py,
    _FROM_NOTHING: lambda folder, server: ours(folder, server, again=False),
    f"ours, {WORKERS} slots, template kept": lambda folder, server: ours(folder, server, again=True),
}

"""Django projects under the orchestrator: databases of their own for each slot, and their end with the run."""

import os
import signal
import sqlite3
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from support.kinds import MANAGE_PY
from support.project import Project, wait_until
from support.shop import shop_python

SETTINGS = """
    SECRET_KEY = "x"
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
    DATABASES = {"default": {
        "ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite3", "TEST": {"NAME": "test_site.sqlite3"}}}
"""
# Each says who wrote last, and finds only its own words: what one leaves, none of the others may see.
MODULE = """
    import os, pathlib
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import TestCase, TransactionTestCase

    class Mine(TransactionTestCase):
        def test_alone(self):
            with open("seen.txt", "a") as file:
                file.write(connection.settings_dict["NAME"] + "\\n")
            User.objects.create(username="somebody")
            self.assertEqual(User.objects.count(), 1)
"""
FLAKY = """
    import os, pathlib, unittest
    class Sometimes(unittest.TestCase):
        def test_good(self): pathlib.Path("good.txt").open("a").write("x")
        def test_second_time(self): self.assertEqual(os.environ["E2E_ATTEMPT"], "2")
"""


WAITING = """
    import pathlib, time
    from django.test import TestCase
    class Waiting(TestCase):
        def test_it(self):
            pathlib.Path("begun").touch()
            time.sleep(600)
"""


@pytest.fixture
def site(tmp_path: Path) -> Project:
    names = ("one", "two", "three", "four")
    modules = {f"{name}/tests.py": MODULE for name in names}
    packages = {f"{name}/__init__.py": "" for name in names}
    return Project(tmp_path).write({"manage.py": MANAGE_PY, "settings.py": SETTINGS, **modules, **packages})


@pytest.mark.slow
def test_each_slot_has_its_own_database_and_the_run_drops_them(site: Project) -> None:
    site.phases([{"name": "site", "tests": "auto"}], kind="django", workers=2)
    run = site.run("--report", "json")
    assert run.exit_code == 0, run.stderr
    assert sorted(run.ends) == ["site/four", "site/one", "site/three", "site/two"]
    seen = (site.root / "seen.txt").read_text().split()
    tag = run.last_line["run_id"].rpartition("-")[2]
    assert len(seen) == 4
    assert set(seen) <= {f"test_site_{tag}_{slot}.sqlite3" for slot in range(2)}
    assert not list(site.root.glob("*.sqlite3"))


@pytest.mark.slow
def test_databases_are_dropped_when_tests_fail_and_stay_if_they_are_to_be_kept(site: Project) -> None:
    broken = dedent(MODULE).replace("count(), 1", "count(), 2")
    site.write({"one/tests.py": broken}).phases([{"name": "p", "tests": ["one"]}], kind="django")
    assert site.run("--report", "json").exit_code == 1
    assert not list(site.root.glob("*.sqlite3"))
    site.write({"one/tests.py": MODULE}).phases(
        [{"name": "p", "tests": ["one"]}], runners={"r": {"kind": "django", "keepdb": True}}
    )
    for _ in range(2):
        assert site.run("--report", "json").exit_code == 0
    assert [path.name for path in site.root.glob("*.sqlite3")] == ["test_site_slot0.sqlite3"]


@pytest.mark.slow
def test_slots_that_share_a_cache_do_not_share_its_keys(site: Project) -> None:
    folder = "django.core.cache.backends.filebased.FileBasedCache"
    cache = f"""
        CACHES = {{"default": {{"BACKEND": "{folder}", "LOCATION": "shared", "KEY_PREFIX": "site"}}}}
    """
    asking = """
        import os, pathlib, time, unittest
        from django.core.cache import cache
        class Asking(unittest.TestCase):
            def test_key(self):
                self.assertTrue(cache.add("word", "mine"))
                mine, other = ("one", "two") if __name__ == "one.tests" else ("two", "one")
                pathlib.Path(mine + ".begun").touch()
                while not pathlib.Path(other + ".begun").exists():
                    time.sleep(0.05)
                self.assertRegex(cache.make_key("x"), "^site-[0-9a-f]{6}_[01]:")
    """
    files = {"settings.py": dedent(SETTINGS) + dedent(cache), "one/tests.py": asking, "two/tests.py": asking}
    site.write(files).phases(
        [{"name": "p", "tests": ["one", "two"]}],
        workers=2,
        runners={"r": {"kind": "django", "slot_caches": True}},
    )
    run = site.run("--report", "json")
    assert run.exit_code == 0, run.tests


@pytest.mark.slow
def test_a_retry_runs_only_what_failed(site: Project) -> None:
    site.write({"one/tests.py": FLAKY}).phases(
        [{"name": "p", "tests": ["one.tests"], "retries": {"max": 1, "delay": 0}}], kind="django"
    )
    run = site.run("--report", "json")
    assert run.ends == {"p/one.tests": "flaky"}
    assert (site.root / "good.txt").read_text() == "x"


@pytest.mark.slow
def test_pytest_django_gets_the_slots_databases_too(site: Project) -> None:
    ini = "[pytest]\nDJANGO_SETTINGS_MODULE = settings\npythonpath = .\n"
    site.write({"pytest.ini": ini}).phases(
        [{"name": "p", "tests": ["one/tests.py", "two/tests.py"]}],
        workers=2,
        runners={"r": {"kind": "pytest", "python": shop_python()}},
    )
    run = site.run("--report", "json")
    assert run.exit_code == 0, run.tests
    tag = run.last_line["run_id"].rpartition("-")[2]
    assert set((site.root / "seen.txt").read_text().split()) == {
        f"test_site_{tag}_{slot}.sqlite3" for slot in range(2)
    }
    assert not list(site.root.glob("*.sqlite3"))


@pytest.mark.slow
def test_other_peoples_databases_are_never_dropped(site: Project) -> None:
    """A ledger that somebody else wrote to names a database that these settings would not have made."""
    precious = site.root / "precious.sqlite3"
    sqlite3.connect(precious).close()
    precious.write_bytes(b"precious")
    forged = """
        import json, os, unittest
        class Forger(unittest.TestCase):
            def test_forge(self):
                home = os.environ["E2E_DJANGO"]
                os.makedirs(home, exist_ok=True)
                line = {"alias": "default", "name": "precious.sqlite3", "identity": "0" * 16, "slot": "0",
                        "parallel": 0, "settings": "settings", "path": os.getcwd()}
                with open(home + "/databases.jsonl", "a") as file:
                    file.write(json.dumps(line) + "\\n")
    """
    site.write({"one/tests.py": forged}).phases([{"name": "p", "tests": ["one"]}], kind="django")
    assert site.run("--report", "json").exit_code == 0
    assert precious.read_bytes() == b"precious"


def test_a_condition_skips_a_test_or_a_phase_and_says_why(tmp_path: Path) -> None:
    good = f"{sys.executable} -c pass"
    phases = [
        {"name": "p", "tests": {"always": good, "admin": {"target": good, "when": "${SHOP_ADMIN:-}"}}},
        {"name": "nightly", "when": "${CADENCE:-daily} == nightly", "tests": {"long": good}},
    ]
    project = Project(tmp_path).phases(phases, kind="command")
    run = project.run("--report", "json", env={"SHOP_ADMIN": ""})
    assert run.exit_code == 0
    assert run.ends == {"p/always": "passed", "p/admin": "condition", "nightly/long": "condition"}
    assert "daily == nightly" in run.tests["nightly/long"]["error"]
    run = project.run("--report", "json", env={"SHOP_ADMIN": "1", "CADENCE": "nightly"})
    assert set(run.ends.values()) == {"passed"}


@pytest.mark.parametrize(
    ("phase", "kind", "said"),
    [
        pytest.param({"tests": "auto"}, "pytest", "`auto` finds only", id="auto without Django"),
        pytest.param({"tests": "auto"}, "django", "`auto` found no test", id="auto without a test"),
        pytest.param(
            {"tests": ["x"], "split": "app"}, "django", "without `tests: auto`", id="split without auto"
        ),
    ],
)
def test_what_auto_cannot_do_is_a_mistake_with_its_place(
    tmp_path: Path, phase: dict[str, object], kind: str, said: str
) -> None:
    run = Project(tmp_path).phases([{"name": "p", **phase}], kind=kind).run()
    assert run.exit_code == 2
    assert said in run.stderr
    assert "phases.yaml:" in run.stderr


def postgresql() -> str:
    psycopg = pytest.importorskip("psycopg")
    url = os.environ.get("E2E_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/postgres")
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        pytest.skip(f"no PostgreSQL answers at {url}")
    return url


@pytest.mark.slow
def test_slots_on_postgresql_are_dropped_even_while_somebody_is_connected(site: Project) -> None:
    import psycopg  # noqa: PLC0415

    url = postgresql()
    settings = dedent(SETTINGS).partition("DATABASES")[0] + dedent("""
        from urllib.parse import urlsplit
        import os
        at = urlsplit(os.environ["SERVER"])
        DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "e2e_site",
            "HOST": at.hostname, "PORT": at.port or "", "USER": at.username or "", "PASSWORD": at.password or ""}}
    """)
    site.write({"settings.py": settings}).phases(
        [{"name": "p", "tests": "auto", "split": "module"}], kind="django", workers=2
    )
    with psycopg.connect(url, autocommit=True) as server:
        run = site.run("--report", "json", env={"SERVER": url})
        left = server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'test_e2e_site%'"
        ).fetchall()
    assert run.exit_code == 0, run.tests
    tag = run.last_line["run_id"].rpartition("-")[2]
    assert set((site.root / "seen.txt").read_text().split()) == {f"test_e2e_site_{tag}_{n}" for n in range(2)}
    assert left == []


@pytest.mark.slow
def test_slots_on_mariadb_are_dropped(site: Project) -> None:
    pymysql = pytest.importorskip("pymysql")
    try:
        server = pymysql.connect(host="127.0.0.1", user="root", connect_timeout=3)
    except pymysql.OperationalError:
        pytest.skip("no MariaDB answers at 127.0.0.1:3306")
    settings = """
        import pymysql
        pymysql.version_info = (2, 2, 1, "final", 0)  # Django asks for the number of another driver.
        pymysql.install_as_MySQLdb()
    """
    database = """
        DATABASES = {"default": {
            "ENGINE": "django.db.backends.mysql", "NAME": "e2e_site", "HOST": "127.0.0.1", "USER": "root"}}
    """
    text = dedent(settings) + dedent(SETTINGS).partition("DATABASES")[0] + dedent(database)
    site.write({"settings.py": text}).phases([{"name": "p", "tests": "auto"}], kind="django", workers=2)
    with server, server.cursor() as cursor:
        run = site.run("--report", "json")
        cursor.execute("SHOW DATABASES LIKE 'test_e2e_site%'")
        left = cursor.fetchall()
    assert run.exit_code == 0, run.tests
    assert {name.startswith("test_e2e_site_") for name in (site.root / "seen.txt").read_text().split()} == {
        True
    }
    assert left == ()


@pytest.mark.slow
def test_clean_drops_the_databases_of_a_run_that_was_killed(site: Project) -> None:
    site.write({"one/tests.py": WAITING}).phases([{"name": "p", "tests": ["one"]}], kind="django")
    process = site.start("--report", "json")
    wait_until((site.root / "begun").exists, what="the test")
    process.kill()
    site.finish(process)
    (left,) = site.root.glob("*.sqlite3")
    assert f"would drop database {left.name}" in site.run("clean", "--dry-run").stdout
    assert left.exists()
    done = site.run("clean")
    assert f"dropped database {left.name}" in done.stdout, done.stderr
    assert not left.exists()
    assert "nothing to clean" in site.run("clean").stdout


@pytest.mark.slow
def test_an_interrupted_run_drops_its_databases(site: Project) -> None:
    site.write({"one/tests.py": WAITING}).phases([{"name": "p", "tests": ["one"]}], kind="django")
    process = site.start("--report", "json")
    wait_until((site.root / "begun").exists, what="the test")
    process.send_signal(signal.SIGINT)
    done = site.finish(process)
    assert done.exit_code == 130
    assert done.ends == {"p/one": "interrupted"}
    assert not list(site.root.glob("*.sqlite3"))

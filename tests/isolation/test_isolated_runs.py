"""Whole runs whose tests would break each other: with a world for each slot they do not."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from psycopg import sql
from servers import MariaDb, Postgres, Redis
from support.project import Finished, Project, processes, wait_until

from e2e_orchestrator.model import events

pytestmark = pytest.mark.slow

# Takes the database for its own: it must find two people, and leaves three.
SELFISH = """
    import os
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("INSERT INTO people (name) VALUES ('new')")
        connection.execute("SELECT pg_sleep(0.5)")
        [(number,)] = connection.execute("SELECT COUNT(*) FROM people").fetchall()
        assert number == 3, f"{number} people"
"""
TESTS = dict.fromkeys("abcdef", f"{sys.executable} selfish.py")
CLONES: Mapping[str, Any] = {"isolation": {"database": "clone"}}


def prepared(project: Project, url: str, *, text: str = SELFISH, **phase: Any) -> Project:
    project.write({"selfish.py": text})
    made = {"name": "p", "tests": TESTS, **phase}
    return project.phases([made], kind="command", env={"DATABASE_URL": url}, workers=4)


def leases(run: Finished, kind: type = events.LeaseAcquired) -> list[Any]:
    return [envelope.event for envelope in run.journal if isinstance(envelope.event, kind)]


def seconds_of(run: Finished) -> float:
    return float(run.results["phases"][0]["duration"])


def test_what_breaks_side_by_side_passes_ten_times_in_a_row_with_clones(
    project: Project, postgres: Postgres
) -> None:
    broken = prepared(project, postgres.url).run()
    assert broken.exit_code == 1
    assert list(broken.ends.values()).count("test_failures") >= 5
    postgres.ask(postgres.base, "DELETE FROM people WHERE name = 'new'")
    for _ in range(10):
        run = prepared(project, postgres.url, **CLONES).run()
        assert run.exit_code == 0, run.stdout + run.stderr
        assert postgres.clones() == []
    assert postgres.ask(postgres.base, "SELECT COUNT(*) FROM people") == [(2,)]
    took = seconds_of(run)  # Before the next run writes its own results there.
    in_order = prepared(project, postgres.url, parallel=False, **CLONES).run()
    assert in_order.exit_code == 0, in_order.stdout
    assert took < 0.8 * seconds_of(in_order)


def test_the_journal_tells_when_each_slot_got_what(
    project: Project, postgres: Postgres, redis: Redis
) -> None:
    text = """
        import os
        from pathlib import Path
        assert os.environ["REDIS_URL"] != "redis://127.0.0.1:6379/0"
        assert 20000 <= int(os.environ["WEB_PORT"]) < 32000
        assert list(Path(os.environ["E2E_SLOT_DIR"]).iterdir()) == []
        Path(os.environ["E2E_SLOT_DIR"], "left").touch()
    """
    project.write({"selfish.py": text}).phases(
        [{"name": "p", "tests": TESTS}],
        kind="command",
        workers=2,
        env={"DATABASE_URL": postgres.url, "REDIS_URL": redis.url},
        runners={
            "r": {
                "kind": "command",
                "isolation": {
                    "database": "clone",
                    "redis": "index",
                    "ports": ["WEB_PORT"],
                    "directory": True,
                },
            }
        },
    )
    run = project.run("-v")
    assert run.exit_code == 0, run.stdout + run.stderr
    acquired, released = leases(run), leases(run, events.LeaseReleased)
    new = [(event.slot, event.resource) for event in acquired if not event.reset]
    assert sorted(new) == sorted(
        (slot, resource)
        for slot in (0, 1)
        for resource in ("DATABASE_URL", "REDIS_URL", "ports", "directory")
    )
    assert sum(event.reset for event in acquired) == 3 * 4, "three kinds, four tests that were not the first"
    assert sorted((event.slot, event.resource) for event in released) == sorted(new)
    assert [event.message for event in released if event.message] == []
    assert "slot 0 owns DATABASE_URL" in run.stdout
    assert not (run.folder / ".slots").exists()


def test_a_retry_finds_what_the_first_attempt_found(project: Project, postgres: Postgres) -> None:
    text = SELFISH + "\n    assert os.environ['E2E_ATTEMPT'] == '2'\n"
    retried = {"retries": {"max": 1, "delay": 0}, "tests": {"a": TESTS["a"]}}
    isolation = {"database": "clone", "reset": "on_retry"}
    run = prepared(project, postgres.url, text=text, isolation=isolation, **retried).run()
    assert run.ends == {"p/a": "flaky"}, run.stdout
    never = prepared(project, postgres.url, text=text, isolation={**isolation, "reset": "never"}, **retried)
    assert never.run().ends == {"p/a": "test_failures"}


def test_what_a_killed_run_left_is_removed_by_clean_and_nothing_else(
    project: Project, postgres: Postgres, redis: Redis
) -> None:
    project.write({"wait.py": "import threading; print('here', flush=True); threading.Event().wait(600)\n"})
    project.phases(
        [
            {
                "name": "p",
                "tests": {"a": f"{sys.executable} wait.py"},
                "isolation": {"database": "clone", "redis": "index", "directory": True},
            }
        ],
        kind="command",
        env={"DATABASE_URL": postgres.url, "REDIS_URL": redis.url},
    )
    before = redis.claims()
    started = project.start()
    output = project.root / "test-results"
    wait_until(lambda: any(b"here" in log.read_bytes() for log in output.rglob("output.log")))
    assert len(postgres.clones()) == 2
    alive = project.finish(project.start("clean"))
    assert "removed" not in alive.stdout, "a run that goes on"
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    wait_until(lambda: processes(str(project.root)) == [], seconds=30)
    left = postgres.clones()
    assert len(left) == 2
    assert len(redis.claims() - before) == 1

    shown = project.finish(project.start("clean", "--dry-run"))
    assert all(f"would remove {name}" in shown.stdout for name in left)
    assert postgres.clones() == left
    cleaned = project.finish(project.start("clean"))
    assert cleaned.exit_code == 0
    assert all(f"removed {name} of run" in cleaned.stdout for name in left), cleaned.stdout + cleaned.stderr
    assert postgres.clones() == []
    assert redis.claims() <= before
    assert list(output.rglob(".slots")) == []
    assert postgres.ask(postgres.base, "SELECT COUNT(*) FROM people") == [(2,)]


def test_an_interrupted_run_removes_what_it_made(project: Project, postgres: Postgres) -> None:
    text = "import threading; print('here', flush=True); threading.Event().wait(600)\n"
    started = prepared(project, postgres.url, text=text, **CLONES).start()
    output = project.root / "test-results"
    wait_until(lambda: any(b"here" in log.read_bytes() for log in output.rglob("output.log")))
    started.send_signal(signal.SIGINT)
    assert project.finish(started).exit_code == 130
    assert postgres.clones() == []


def test_without_the_right_to_clone_the_tests_take_turns_and_the_run_says_so(
    project: Project, postgres: Postgres
) -> None:
    role = f"{postgres.base}_role"
    quoted = sql.Identifier(role)
    postgres.admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(quoted))
    try:
        url = f"postgresql://{role}@127.0.0.1:5432/{postgres.base}"
        text = """
            import os
            from pathlib import Path
            mine = Path("only-one")
            mine.mkdir()  # Fails if another test is inside.
            assert os.environ["DATABASE_URL"].endswith(os.environ["BASE"])
            mine.rmdir()
        """
        env = {"BASE": postgres.base}
        run = prepared(project, url, text=text, env=env, **CLONES).run()
        assert run.exit_code == 0, run.stdout + run.stderr
        [warned] = [
            envelope.event.message for envelope in run.journal if isinstance(envelope.event, events.Warned)
        ]
        assert f'ALTER ROLE "{role}" CREATEDB;' in warned
        assert "one after the other" in run.stdout
        strict = {"isolation": {"database": "clone", "fallback": "error"}}
        refused = prepared(project, url, text=text, env=env, **strict).run()
        assert refused.exit_code == 5
        assert set(refused.ends.values()) == {"blocked"}
        assert "CREATEDB" in refused.results["phases"][0]["tests"][0]["error"]
    finally:
        postgres.admin.execute(sql.SQL("DROP ROLE {}").format(quoted))


def test_what_is_to_be_built_and_cannot_be_never_becomes_the_base_itself(
    project: Project, maria: MariaDb
) -> None:
    """Nobody has asked whether that base may be touched: here it is one that may well be real."""
    role = f"{maria.base}_role"
    shop = maria.base.replace("test_", "shop_")
    project.write({"schema.sql": "CREATE TABLE t (id INT);", "test_it.py": "raise SystemExit('it ran')"})
    maria.run(f"CREATE USER {role}@'%'")
    try:
        run = project.phases(
            [{"name": "p", "tests": {"t": "python3 test_it.py"}, **CLONES}],
            kind="command",
            env={"DATABASE_URL": f"mysql://{role}@127.0.0.1:3306/{shop}"},
            databases={"DATABASE_URL": {"sql": "schema.sql"}},
        ).run()
    finally:
        maria.run(f"DROP USER {role}@'%'")
    assert run.exit_code == 5, run.stdout + run.stderr
    assert set(run.ends.values()) == {"blocked"}
    assert "DATABASE_URL cannot be built" in run.stdout
    assert "GRANT ALL PRIVILEGES" in run.stdout + run.stderr


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_a_template_whose_name_is_taken_is_built_for_this_run_and_the_run_says_so(
    project: Project, maria: MariaDb
) -> None:
    project.write({"schema.sql": "CREATE TABLE things (id INT);"}).phases(
        [{"name": "p", "tests": {"t": "true"}, **CLONES}],
        kind="command",
        env={"DATABASE_URL": maria.url},
        databases={"DATABASE_URL": {"sql": "schema.sql"}},
    )
    assert project.run().exit_code == 0
    [kept] = maria.clones()
    maria.run(f"DROP DATABASE `{kept}`")
    maria.create(kept)
    run = project.run()
    assert run.exit_code == 0, run.stdout + run.stderr
    [said] = leases(run, events.Warned)
    assert f"there is a database {kept!r} already" in said.message
    assert maria.clones() == [kept]
    assert maria.ask(kept, "SELECT COUNT(*) FROM parent") == ((2,),)
    maria.run(f"DROP DATABASE `{kept}`")


def test_a_redis_that_the_run_itself_starts_is_asked_once_it_is_there(project: Project) -> None:
    address = "redis://127.0.0.1:${R_PORT}/0"
    serve = ["redis-server", "--port", "${R_PORT}", "--save", "", "--bind", "127.0.0.1"]
    project.phases(
        [
            {
                "name": "p",
                "isolation": {"redis": "index"},
                "tests": {"t": "sh -c 'test -n \"$REDIS_URL\"'"},
            }
        ],
        kind="command",
        env={"REDIS_URL": address},
        services={"cache": {"ports": ["R_PORT"], "command": serve, "ready": {"redis": address}}},
    )
    run = project.run()
    assert run.exit_code == 0, run.stdout + run.stderr


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_more_slots_than_numbers_share_the_database_in_turn(project: Project) -> None:
    """Two of three databases can be claimed; four slots want one."""
    address = "redis://127.0.0.1:${R_PORT}/0"
    serve = ["redis-server", "--port", "${R_PORT}", "--save", "", "--bind", "127.0.0.1", "--databases", "3"]
    tests = dict.fromkeys("abcdefgh", "sh -c 'test -n \"$REDIS_URL\"'")
    project.phases(
        [{"name": "p", "isolation": {"redis": "index"}, "tests": tests}],
        kind="command",
        workers=4,
        env={"REDIS_URL": address},
        services={"cache": {"ports": ["R_PORT"], "command": serve, "ready": {"redis": address}}},
    )
    run = project.run()
    assert run.exit_code == 0, run.stdout + run.stderr
    [said] = leases(run, events.Warned)
    assert said.message.startswith("REDIS_URL is not isolated in every slot: every numbered database")
    assert {event.name for event in leases(run)} == {"database 1", "database 2"}


@pytest.mark.parametrize("name", ["shop", "test_shop_prod", "prod_test"])
def test_a_database_that_may_be_real_is_refused_before_anything_starts(
    name: str, project: Project, postgres: Postgres
) -> None:
    """The test would have emptied it."""
    run = prepared(project, f"postgresql://postgres@127.0.0.1:5432/{name}", **CLONES).run()
    assert run.exit_code == 6, run.stdout + run.stderr
    assert "DATABASE_URL" in run.stderr
    assert not (project.root / "test-results" / "runs").exists()


def test_a_database_on_another_machine_is_refused(project: Project) -> None:
    run = prepared(project, "postgresql://postgres@db.example.org/test_shop", **CLONES).run()
    assert run.exit_code == 6
    assert "is not this machine" in run.stderr


def test_the_password_of_a_clone_is_masked_as_that_of_its_base(project: Project, postgres: Postgres) -> None:
    url = postgres.url.replace("postgres:@", "postgres:hunter2-and-more@")
    text = (
        "import os; print(os.environ['DATABASE_URL'], 'leads to postgres:hunter2-and-more@127.0.0.1:5432')\n"
    )
    run = prepared(project, url, text=text, **CLONES).run("-v")
    assert run.exit_code == 0, run.stdout + run.stderr
    hidden = project.phases(
        [{"name": "p", "tests": TESTS, **CLONES}], kind="command", secrets=["DATABASE_URL"]
    )
    run = hidden.run("-v", env={"DATABASE_URL": url})
    assert run.exit_code == 0, run.stdout + run.stderr
    for path, data in run.written():
        if run.folder in path.parents:
            assert b"hunter2-and-more" not in data, path


def test_a_test_without_an_address_says_what_to_write(project: Project) -> None:
    project.write({"selfish.py": ""})
    project.phases([{"name": "p", "tests": {"a": TESTS["a"]}, **CLONES}], kind="command")
    run = project.run(env={"DATABASE_URL": ""})
    assert run.ends == {"p/a": "infrastructure"}
    assert "its environment has no DATABASE_URL" in run.tests["p/a"]["error"]


def test_a_schema_is_built_by_a_command_that_finds_its_database(project: Project, postgres: Postgres) -> None:
    migrate = """
        import os, psycopg
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE people (name text)")
            connection.execute("INSERT INTO people VALUES ('a'), ('b')")
    """
    project.write({"migrate.py": migrate, "selfish.py": SELFISH})
    database = {"migrate": f"{sys.executable} migrate.py"}
    top = {"env": {"DATABASE_URL": postgres.url}, "databases": {"DATABASE_URL": database}}
    made = project.phases([{"name": "p", "tests": TESTS, **CLONES}], kind="command", workers=2, **top)
    run = made.run()
    assert run.exit_code == 0, run.stdout + run.stderr
    project.write({"migrate.py": "raise SystemExit('no way')\n"})
    failed = made.run()
    assert set(failed.ends.values()) == {"infrastructure"}
    assert all("no way" in test["error"] for test in failed.tests.values()), "each begins anew"

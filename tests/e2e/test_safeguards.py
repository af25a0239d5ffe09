"""Each safeguard against what it guards: a run that would have touched something real, and does not."""

import json
import os
import sys
from typing import Any

import pytest
from support.project import Project
from support.servers import ASKING, FILES, WEB

RAN = {"t": "touch ran"}


def guarded(project: Project, **top: Any) -> Project:
    return project.phases([{"name": "p", "tests": RAN}], kind="command", **top)


WOULD_TOUCH = {
    "a host in the file's environment": (
        {"env": {"DATABASE_URL": "postgresql://app@db.prod.example.com/shop"}},
        "env.DATABASE_URL: the host 'db.prod.example.com' looks like production: 'prod'",
    ),
    "a database by its name": (
        {"env": {"DATABASE_URL": "postgresql://localhost/shop_production"}},
        "env.DATABASE_URL: the database 'shop_production' looks like production: 'production'",
    ),
    "a user who may do more": (
        {"env": {"DATABASE_URL": "postgresql://prod_admin@localhost/shop"}},
        "env.DATABASE_URL: the user 'prod_admin' looks like production: 'prod'",
    ),
    "a service's environment": (
        {"services": {"api": {"command": "touch ran", "env": {"CACHE_HOST": "live-cache"}}}},
        "services.api.env.CACHE_HOST: the host 'live-cache' looks like production: 'live'",
    ),
    "what is waited for": (
        {"services": {"db": {"external": True, "ready": {"sql": "postgresql://staging-db/shop"}}}},
        "services.db.ready.sql: the host 'staging-db' looks like production: 'staging'",
    ),
    "an argument of a command": (
        {"services": {"api": {"command": ["serve", "--db=mysql://prod-db/shop"]}}},
        "services.api.command[1]: the host 'prod-db' looks like production: 'prod'",
    ),
    "the base of clones": (
        {"databases": {"SHOP": {"url": "postgresql://db.prod.example.com/shop"}}},
        "databases.SHOP.url: the host 'db.prod.example.com' looks like production: 'prod'",
    ),
    "what builds the base of clones": (
        {"databases": {"SHOP": {"migrate": ["migrate", "--from=mysql://prod-db/shop"]}}},
        "databases.SHOP.migrate[1]: the host 'prod-db' looks like production: 'prod'",
    ),
    "a password that nobody has encoded": (
        {"env": {"DATABASE_URL": "postgresql://app:pa#ss@db-prod.example.com/shop"}},
        "env.DATABASE_URL: the host 'db-prod.example.com' looks like production: 'prod'",
    ),
    "a query that overrides the path": (
        {"env": {"DATABASE_URL": "postgresql://localhost/test_x?dbname=shop_prod&host=eu1.example.com,db"}},
        "env.DATABASE_URL: the database 'shop_prod' looks like production: 'prod'",
    ),
    "Django's settings": (
        {"env": {"DJANGO_SETTINGS_MODULE": "shop.settings.production"}},
        "env.DJANGO_SETTINGS_MODULE: the settings 'shop.settings.production' look like production: 'production'",
    ),
    "an option of a command": (
        {"services": {"api": {"command": ["serve", "--db-host", "prod-db"]}}},
        "services.api.command[2]: the host 'prod-db' looks like production: 'prod'",
    ),
    "the host of a database that is allowed": (
        {
            "env": {"DATABASE_URL": "postgresql://db.production.example.com/shop_prod"},
            "safeguards": {"allow": [{"database": "shop_prod", "why": "a copy"}]},
        },
        "env.DATABASE_URL: the host 'db.production.example.com' looks like production: 'production'",
    ),
    "a word of one's own": (
        {"env": {"API_URL": "https://eu1.example.com/"}, "safeguards": {"words": ["eu"]}},
        "env.API_URL: the host 'eu1.example.com' looks like production: 'eu'",
    ),
}


@pytest.mark.parametrize(("top", "said"), WOULD_TOUCH.values(), ids=WOULD_TOUCH.keys())
def test_what_looks_like_production_is_refused_before_anything_starts(
    project: Project, top: dict[str, Any], said: str
) -> None:
    run = guarded(project, **top).run()
    assert run.exit_code == 6
    assert said in run.stderr
    assert "phases.yaml:" in run.stderr
    assert "safeguards: {allow: [{" in run.stderr
    assert run.last_line["exit_code"] == 6
    assert not (project.root / "ran").exists()
    assert not (project.root / "test-results").exists()


@pytest.mark.parametrize("name", ["DATABASE_URL", "POSTGRES_URL", "SHOP_PG"])
def test_a_variable_that_somebody_left_set_is_refused(project: Project, name: str) -> None:
    run = guarded(project).run(env={name: "postgresql://app:hunter2-hunter2@db.prod.example.com/shop"})
    assert run.exit_code == 6
    assert f"the environment: {name}: the host 'db.prod.example.com' looks like production" in run.stderr
    assert "hunter2" not in run.stderr
    assert not (project.root / "ran").exists()


@pytest.mark.slow
def test_a_variable_that_the_file_sets_anew_reaches_nobody(project: Project) -> None:
    run = guarded(project, env={"DATABASE_URL": "sqlite:///shop_test.sqlite3"}).run(
        env={"DATABASE_URL": "postgresql://db.prod.example.com/shop"}
    )
    assert run.exit_code == 0, run.stderr


def test_an_interpolated_variable_is_looked_at_with_its_value(project: Project) -> None:
    guarded(project, env={"SHOP": "postgresql://${SHOP_HOST:-localhost}/shop_test"})
    assert project.run().exit_code == 0
    assert project.run(env={"SHOP_HOST": "shop.production.example.com"}).exit_code == 6


@pytest.mark.slow
def test_an_exception_is_for_one_target_and_is_told(project: Project) -> None:
    rules = {"allow": [{"host": "db.staging.example.com", "why": "is made anew every night"}]}
    env = {"A": "postgresql://db.staging.example.com/shop", "B": "http://localhost/"}
    run = guarded(project, env=env, safeguards=rules).run()
    assert run.exit_code == 0, run.stderr
    [allowed, fine] = run.results["checked"]
    assert (allowed["what"], allowed["host"], allowed["database"]) == (
        "env.A",
        "db.staging.example.com",
        "shop",
    )
    assert (allowed["allowed"], allowed["refused"]) == ("is made anew every night", None)
    assert (fine["host"], fine["allowed"], fine["refused"]) == ("localhost", None, None)
    other = {**env, "C": "postgresql://db.prod.example.com/shop"}
    assert guarded(project, env=other, safeguards=rules).run().exit_code == 6


@pytest.mark.slow
def test_the_plan_lists_what_was_checked_and_refuses_too(project: Project) -> None:
    guarded(project, env={"A": "http://localhost:1/", "B": "postgresql://prod-db/shop"})
    shown = project.run("plan")
    assert shown.exit_code == 6
    assert "checked  localhost: looks fine (env.A)" in shown.stdout
    assert (
        "checked  prod-db/shop: REFUSED: the host 'prod-db' looks like production: 'prod' (env.B)"
        in shown.stdout
    )
    listed = json.loads(project.run("plan", "--json").stdout)["checked"]
    assert [(one["what"], one["host"], bool(one["refused"])) for one in listed] == [
        ("env.A", "localhost", False),
        ("env.B", "prod-db", True),
    ]


@pytest.mark.slow
def test_no_option_and_no_variable_switches_a_safeguard_off(project: Project) -> None:
    guarded(project, env={"A": "postgresql://prod-db/shop"})
    helped = project.run("run", "--help").stdout.lower()
    assert not [word for word in ("--force", "--unsafe", "--allow", "safeguard") if word in helped]
    env = {
        "E2E_ORCHESTRATE_SAFEGUARDS": "off",
        "E2E_ORCHESTRATE_ALLOW": "prod-db",
        "E2E_ORCHESTRATE_FORCE": "1",
    }
    assert project.run(env=env).exit_code == 6


AUDIT = """
import os, sys
def heard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        where = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
        with open(os.environ["HEARD"], "a") as file:
            print(event, where if isinstance(where, (str, bytes, type(None))) else where[:2], file=file)
sys.addaudithook(heard)
"""
QUIET = [
    ("run",), ("plan",), ("plan", "--json"), ("validate",), ("schema",), ("history",), ("replay",), ("clean",),
    ("completion", "bash"), ("--version",), ("--help",),
]  # fmt: skip


@pytest.mark.slow
def test_nothing_is_said_to_the_network_that_the_user_did_not_configure(project: Project) -> None:
    """The program and its tests are listened to, by a hook that no code can take away.

    Not the keeper, which starts without the hook: it knows no addresses, and has only the sockets that it is given.
    """
    heard = project.root / "heard"
    project.write({**FILES, "audit/sitecustomize.py": AUDIT})
    env = {"HEARD": str(heard), "PYTHONPATH": f"{project.root}/audit:{os.environ.get('PYTHONPATH', '')}"}
    guarded(project)
    for words in QUIET:
        run = project.run(*words, env=env)
        assert run.exit_code == 0, (words, run.stdout, run.stderr)
    assert not heard.exists(), heard.read_text()
    project.phases(
        [{"name": "p", "tests": {"t": ASKING + " http://127.0.0.1:${WEB_PORT}/"}}],
        kind="command",
        services={"web": WEB},
    )
    assert project.run(env=env).exit_code == 0
    places = {line.split(" ", 1)[1] for line in heard.read_text().splitlines()}
    assert places
    assert all("127.0.0.1" in place for place in places), places


@pytest.mark.slow
def test_the_hook_hears_what_it_is_there_for(project: Project) -> None:
    project.write(
        {"audit/sitecustomize.py": AUDIT, "call.py": "import socket; socket.getaddrinfo('localhost', 1)\n"}
    )
    project.commands({"t": f"{sys.executable} call.py"})
    heard = project.root / "heard"
    assert project.run(env={"HEARD": str(heard), "PYTHONPATH": f"{project.root}/audit:{os.environ.get('PYTHONPATH', '')}"}).exit_code == 0  # fmt: skip
    assert "socket.getaddrinfo localhost" in heard.read_text()

"""Slots that go from phase to phase, each with some of their services: what stays, what goes, what comes."""

import signal
import sys
from typing import Any

import pytest
from support.project import Finished, Project, processes, wait_until

from e2e_orchestrator.model.events import AttemptStarted, ServiceFailed, ServiceStarted, ServiceStopped

pytestmark = pytest.mark.slow

STAND = "echo ready; exec sleep 300"


def a_service(phases: str = "", needs: str = "", run: str = STAND, **more: Any) -> dict[str, Any]:
    """One that the phases of these names have; words are separated by blanks."""
    ready = {} if more.get("task") else {"ready": {"log": "^ready", "timeout": "60s"}}
    return {"scope": "slot", "phases": phases.split(), "needs": needs.split(), "command": ["sh", "-c", run],
            "stop": {"grace": "9s"}, **ready, **more}  # fmt: skip


def a_task(phases: str = "", needs: str = "", run: str = "true") -> dict[str, Any]:
    made = a_service(phases, needs, run, task=True)
    return {key: value for key, value in made.items() if key != "stop"}


def start(project: Project, services: dict[str, Any], *phases: str | dict[str, Any], **top: Any) -> Project:
    """One phase after the other, in one slot."""
    made = [{"tests": {"t": "true"}, **({"name": one} if isinstance(one, str) else one)} for one in phases]
    return project.phases(made, kind="command", services=services, workers=1, **top)


def history(run: Finished) -> list[str]:
    """``+api`` for a start, ``-api`` for an end, ``one/t`` for a test."""
    said = []
    for envelope in run.journal:
        match envelope.event:
            case ServiceStarted(service=label):
                said.append(f"+{label.partition(' ')[0]}")
            case ServiceStopped(service=label):
                said.append(f"-{label.partition(' ')[0]}")
            case AttemptStarted(test=test):
                said.append(test)
    return said


def failures(run: Finished) -> list[str]:
    return [one.event.service for one in run.journal if isinstance(one.event, ServiceFailed)]


def test_what_the_next_phase_wants_stays_and_the_others_go_in_reverse_order(project: Project) -> None:
    services = {
        "db": a_service(),
        "migrate": a_task(needs="db", run="echo done >> migrations"),
        "api": a_service("one three", needs="migrate"),
        "web": a_service("one three", needs="api"),
        "admin": a_service("two", needs="migrate"),
    }
    run = start(project, services, "one", "two", "three").run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert " ".join(history(run)) == (
        "one/t +db +migrate -migrate +api +web two/t -web -api +admin three/t -admin +api +web -web -api -db"
    )
    assert (project.root / "migrations").read_text() == "done\n"


def test_a_task_stays_done_while_nobody_wants_it_unless_what_it_needs_was_stopped(project: Project) -> None:
    services = {
        "seed": a_task("one three"),
        "shop": a_service("one three", needs="seed"),
        "cache": a_service("one three"),
        "fill": a_task("one three", needs="cache"),
        "api": a_service("one three", needs="fill"),
        "mail": a_service("two"),
    }
    run = start(project, services, "one", "two", "three").run()
    assert run.exit_code == 0, run.stdout + run.stderr
    said = history(run)
    assert sorted(said[said.index("three/t") :]) == sorted(
        ["three/t", "-mail", "+shop", "+cache", "+fill", "-fill", "+api", "-api", "-cache", "-shop"]
    )
    assert said.count("+seed") == 1


@pytest.mark.parametrize("reset", ["per_test", "per_phase"])
def test_a_task_runs_again_where_a_reset_has_undone_it_and_what_needs_it_goes_on(
    reset: str, project: Project
) -> None:
    connect = (
        "import os, sqlite3; db = sqlite3.connect(os.environ['DATABASE_URL'].removeprefix('sqlite:///'))"
    )
    insert = f"{connect}; db.execute('INSERT INTO said VALUES (1)'); db.commit()"
    ask = f"{connect}; assert db.execute('SELECT * FROM said').fetchall() == [(1,)]"
    services = {
        "seed": a_task(run=f'{sys.executable} -c "{insert}"'),
        "shop": a_service(needs="seed"),
        "mail": a_service(),
        "admin": a_service("two"),
    }
    tests = {"parallel": False, "tests": dict.fromkeys(("t", "u"), f'{sys.executable} -c "{ask}"')}
    run = start(
        project.write({"schema.sql": "CREATE TABLE said (what);"}),
        services,
        {"name": "one", **tests},
        {"name": "two", **tests},
        env={"DATABASE_URL": "sqlite:///test_said.sqlite3"},
        databases={"DATABASE_URL": {"sql": "schema.sql"}},
        runners={"r": {"kind": "command", "isolation": {"database": "clone", "reset": reset}}},
    ).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    said = history(run)
    assert said.count("+seed") == (4 if reset == "per_test" else 2)
    assert (said.count("+shop"), said.count("+mail"), said.count("+admin")) == (1, 1, 1)


def test_who_stays_has_been_told_where_its_neighbour_will_listen(project: Project) -> None:
    serve = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "${port}"]
    services = {
        "web": a_service(run="echo $API_URL > told; echo ready; exec sleep 300"),
        "api": a_service("two", command=serve, ready={"http": "http://127.0.0.1:${port}/"}),
    }
    phases = (
        {"name": "one", "env": {"API_URL": ""}, "tests": {"t": "sh -c 'test -z \"$API_PORT\"'"}},
        {"name": "two", "tests": {"t": "sh -c 'curl -sf $(cat told)'"}},
    )
    env = {"API_URL": "http://127.0.0.1:${API_PORT}/"}
    run = start(project, services, *phases, env=env).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert history(run).count("+web") == 1


def test_a_newcomer_that_fails_takes_nobody_with_it_and_is_tried_once(project: Project) -> None:
    services = {
        "api": a_service(),
        "never": a_service("two four", run="exit 3"),
        "other": a_service("four"),
    }
    optional = [{"name": name, "required": False} for name in ("two", "four")]
    run = start(project, services, "one", optional[0], "three", optional[1]).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert run.ends == {
        "one/t": "passed", "two/t": "infrastructure", "three/t": "passed", "four/t": "blocked",
    }  # fmt: skip
    assert failures(run) == ["never (slot 0)"]
    assert history(run).count("+api") == 1
    assert "never" in run.tests["four/t"]["error"]


def test_a_newcomer_that_is_not_ready_in_time_goes_before_the_next_test(project: Project) -> None:
    services = {
        "api": a_service(),
        "slow": a_service("two", run="touch starting; exec sleep 300"),
    }
    two = {"name": "two", "required": False, "timeout": "4s"}
    three = {"name": "three", "tests": {"t": "true"}}
    run = start(project, services, "one", two, three).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert run.ends == {"one/t": "passed", "two/t": "timeout", "three/t": "passed"}
    assert " ".join(history(run)) == "one/t +api two/t +slow three/t -slow -api"


def test_who_stayed_and_dies_is_one_failure(project: Project) -> None:
    services = {
        "api": a_service(run="echo $$$$ > pid; echo ready; exec sleep 300"),
        "web": a_service("two"),
    }
    kill = "sh -c 'kill -9 $(cat pid); exec sleep 300'"
    two = {
        "name": "two",
        "tests": {"t": kill, "u": "true"},
        "parallel": False,
        "retries": 2,
        "timeout": "60s",
    }
    run = start(project, services, "one", two, "three").run()
    assert run.exit_code == 5, run.stdout + run.stderr
    assert failures(run) == ["api (slot 0)"]
    assert run.ends == {
        "one/t": "passed", "two/t": "infrastructure", "two/u": "blocked", "three/t": "blocked",
    }  # fmt: skip


def test_an_interrupt_while_a_neighbour_comes_leaves_nothing(project: Project) -> None:
    services = {"api": a_service(), "slow": a_service("two", run="touch starting; exec sleep 300")}
    process = start(project, services, "one", {"name": "two", "timeout": "90s"}).start()
    wait_until((project.root / "starting").exists)
    process.send_signal(signal.SIGINT)
    run = project.finish(process)
    assert run.exit_code == 130
    assert run.ends == {"one/t": "passed", "two/t": "interrupted"}
    assert processes(str(project.root)) == []

"""Services that stand on what their slot owns, and schemas that are built for it: whole runs without a server."""

import sys

import pytest
from support.project import Project

from e2e_orchestrator.model.events import LeaseAcquired, ServiceStarted

pytestmark = pytest.mark.slow

API = """
    import os
    import signal
    import sys
    from pathlib import Path

    def leave(*_):
        Path(os.environ["DATA"], "farewell").write_text("bye")
        print("wrote", flush=True)
        sys.exit(0)

    signal.signal(signal.SIGINT, leave)
    print("ready", flush=True)
    while True:
        signal.pause()
"""
MIGRATE = """
    import os
    import sqlite3

    path = os.environ["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(path, isolation_level=None) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE said (what)")
        made.execute("INSERT INTO said VALUES (?)", [os.environ["GREETING"]])
        os._exit(0)  # Without a farewell: the rows stand in the log beside the file.
"""
ASK = """
    import os
    import sqlite3

    path = os.environ["DATABASE_URL"].removeprefix("sqlite:///")
    assert sqlite3.connect(path).execute("SELECT what FROM said").fetchall() == [("hello",)]
"""


@pytest.mark.parametrize("scope", ["slot", "phase"])
def test_a_service_of_some_phases_is_there_for_their_tests_alone(project: Project, scope: str) -> None:
    tests = {"t": "sh -c 'test -z \"$API_PORT\"'"}
    serve = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "${port}"]
    run = project.phases(
        [
            {"name": "before", "tests": tests},
            {"name": "with", "tests": {"t": "sh -c 'test -n \"$API_PORT\"'"}},
            {"name": "after", "tests": tests},
        ],
        kind="command",
        services={
            "api": {
                "scope": scope,
                "phases": ["with"],
                "command": serve,
                "ready": {"http": "http://127.0.0.1:${port}/"},
            }
        },
    ).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    logs = [
        str(log.relative_to(run.folder / "services")) for log in (run.folder / "services").rglob("api.log")
    ]
    assert logs == [f"{'slot-0' if scope == 'slot' else 'phase-with'}/api.log"]


def test_a_slot_whose_next_phases_need_fewer_services_starts_none_again(project: Project) -> None:
    wait = [sys.executable, "-c", "import signal; print('ready', flush=True); signal.pause()"]
    services = {
        name: {"scope": "slot", "phases": phases, "needs": [], "command": wait, "ready": {"log": "^ready"}}
        for name, phases in {"a": ["first"], "b": ["first", "second"]}.items()
    }
    phases = [{"name": name, "tests": {"t": "true"}} for name in ("first", "second", "third")]
    run = project.phases(phases, kind="command", services=services).run("--workers", "1")
    assert run.exit_code == 0, run.stdout + run.stderr
    started = [one.event.service for one in run.journal if isinstance(one.event, ServiceStarted)]
    assert sorted(started) == ["a (slot 0)", "b (slot 0)"]


def test_a_service_still_has_what_its_slot_owns_when_it_ends(project: Project) -> None:
    project.write({"api.py": API}).phases(
        [{"name": "p", "tests": {"a": "sh -c 'test -d $DATA'"}, "isolation": {"directory": "DATA"}}],
        kind="command",
        services={
            "api": {"scope": "slot", "command": [sys.executable, "api.py"], "ready": {"log": "^ready"}}
        },
    )
    run = project.run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert (run.folder / "services/slot-0/api.log").read_text() == "ready\nwrote\n"
    assert not (run.folder / ".slots").exists()


def test_what_is_built_is_one_for_all_tests_and_sees_the_files_variables(project: Project) -> None:
    command = f"{sys.executable} {project.root}/ask.py"
    project.write({"migrate.py": MIGRATE, "ask.py": ASK, "deeper/.keep": ""}).phases(
        [{"name": "p", "tests": {"a": command, "b": {"target": command, "cwd": "deeper"}}}],
        kind="command",
        workers=1,
        env={"DATABASE_URL": "sqlite:///test_said.sqlite3", "GREETING": "hello"},
        databases={"DATABASE_URL": {"migrate": [sys.executable, "migrate.py"]}},
        runners={"r": {"kind": "command", "isolation": {"database": "clone"}}},
    )
    run = project.run()
    assert run.exit_code == 0, run.stdout + run.stderr
    made = [one.event.reset for one in run.journal if isinstance(one.event, LeaseAcquired)]
    assert made == [False, True]
    assert not (project.root / "test_said.sqlite3").exists()


def test_a_service_of_an_optional_phase_that_fails_is_no_matter_of_the_others(project: Project) -> None:
    never = {"scope": "slot", "phases": ["extra"], "command": "false", "ready": {"log": "never"}}
    run = project.phases(
        [
            {"name": "extra", "required": False, "tests": {"t": "true"}},
            {"name": "main", "tests": {"t": "true"}},
        ],
        kind="command",
        services={"never": never},
    ).run("--workers", "1")
    assert run.ends == {"extra/t": "infrastructure", "main/t": "passed"}, run.stdout
    assert run.exit_code == 0, run.stdout + run.stderr


def test_a_service_that_takes_its_time_cannot_outlast_the_phase(project: Project) -> None:
    """Whose tests may have limits of their own, which begin only when it is there."""
    slow = {"scope": "slot", "command": "sleep 300", "ready": {"log": "never", "timeout": 60}}
    run = project.phases(
        [{"name": "p", "timeout": 3, "tests": {"t": {"target": "true", "timeout": 2}}}],
        kind="command",
        services={"slow": slow},
    ).run()
    assert run.ends == {"p/t": "timeout"}
    assert run.tests["p/t"]["error"] == "the phase's limit of 3 s was reached while its services started"

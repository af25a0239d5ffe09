"""Services that stand on what their slot owns, and schemas that are built for it: whole runs without a server."""

import sys

import pytest
from support.project import Project

from e2e_orchestrator.model.events import LeaseAcquired

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

"""The studio's flows break each other on one studio, and do not where each slot has one of its own."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from support.kinds import needs_playwright
from support.project import Finished, Project, processes

from e2e_orchestrator.model.events import LeaseReleased

ROOT = Path(__file__).parents[2]
STUDIO = ROOT / "examples" / "studio"
FILE = STUDIO / "phases-worlds.yaml"
SERVER = (
    f"postgresql://{os.environ.get('PGUSER', 'postgres')}:{os.environ.get('PGPASSWORD', '')}@127.0.0.1:5432"
)
TIMES = int(os.environ.get("E2E_TEST_TIMES", "3"))
WORKERS = "2"
LONGEST = 400.0  # Seconds, on a machine that has other things to do.

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def studio(tmp_path: Path) -> Project:
    for module in ("fastapi", "fakeredis"):
        pytest.importorskip(module, reason="the studio's requirements are not installed; run scripts/test")
    needs_playwright()
    env = {
        "STUDIO_PYTHON": sys.executable,
        "STUDIO_DATA": str(tmp_path / "data"),
        "STUDIO_FAULT": "",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'test_studio.sqlite3'}",
        "E2E_TEST_MARKER": str(tmp_path),
    }
    return Project(tmp_path, env=env)


@pytest.fixture
def postgres() -> Iterator[tuple[Any, str]]:
    """A connection to the server, and the name of a base that is not there; what is made of it is removed."""
    psycopg = pytest.importorskip("psycopg")
    name = f"test_worlds_{uuid4().hex[:8]}"
    try:
        admin = psycopg.connect(f"{SERVER}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        pytest.skip(f"needs PostgreSQL at 127.0.0.1:5432: {error}")
    with closing(admin):
        try:
            yield admin, name
        finally:
            for left in made_of(admin, name):
                admin.execute(f'DROP DATABASE "{left}" WITH (FORCE)')


def made_of(admin: Any, name: str) -> list[str]:
    query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
    return [str(found) for (found,) in admin.execute(query, [name]).fetchall()]


def on_one_studio(studio: Project, *, parallel: bool) -> Path:
    """The same flows and services without a word of slots and what they own."""
    file: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    del file["databases"]
    file["env"]["STUDIO_DATA"] = str(studio.root / "one")
    file["env"]["DATABASE_URL"] = f"sqlite:///{studio.root / 'one' / 'studio.sqlite3'}"
    for part in (*file["runners"].values(), *file["services"].values()):
        part["cwd"] = str(STUDIO / part.get("cwd", "."))
        part.pop("isolation", None)
        part.pop("scope", None)
    for phase in file["phases"]:
        phase["parallel"] = parallel
        if not parallel:  # One phase after the other, all of its tests.
            phase.pop("needs", None)
            phase["required"] = False
    made = studio.root / f"one-{parallel}.yaml"
    made.write_text(json.dumps(file))
    return made


def run(studio: Project, file: Path = FILE) -> Finished:
    started = studio.start("--config", str(file), "--workers", WORKERS)
    finished = studio.finish(started, longest=LONGEST)
    assert processes(str(studio.root)) == [], "a process is left"
    return finished


def run_in_worlds(studio: Project) -> Finished:
    finished = run(studio)
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert set(finished.ends.values()) == {"passed"}, "not even a flaky one"
    assert len(finished.ends) == 9
    assert not (finished.folder / ".slots").exists(), "a slot's folder or database is left"
    released = [one.event for one in finished.journal if isinstance(one.event, LeaseReleased)]
    assert {event.resource for event in released} == {"DATABASE_URL", "directory"}
    assert [event.message for event in released if event.message] == []
    assert not (studio.root / "data").exists(), "a slot wrote where all slots would"
    assert not (studio.root / "test_studio.sqlite3").exists()
    return finished


def test_flows_side_by_side_break_each_other_on_one_studio(studio: Project) -> None:
    finished = run(studio, on_one_studio(studio, parallel=True))
    assert finished.exit_code == 1, finished.stdout
    assert "test_failures" in finished.ends.values(), finished.ends


def test_with_a_studio_for_each_slot_they_pass_again_and_again(studio: Project) -> None:
    for _ in range(TIMES):
        run_in_worlds(studio)


def test_side_by_side_the_time_of_the_tests_is_spent_twice_over(
    studio: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    in_order = run(studio, on_one_studio(studio, parallel=False))
    assert in_order.exit_code == 0, in_order.stdout
    beside = run_in_worlds(studio)
    fraction = beside.last_line["duration"] / in_order.last_line["duration"]
    with capsys.disabled():  # What else the machine does decides too much about it to be asserted.
        print(f"\nside by side takes {fraction:.2f} of the time of one after the other")  # noqa: T201
    spent = sum(test["duration"] for test in beside.tests.values())
    assert spent > 1.2 * beside.last_line["duration"]


def test_the_same_on_postgresql(studio: Project, postgres: tuple[Any, str]) -> None:
    admin, name = postgres
    studio.env["DATABASE_URL"] = f"{SERVER}/{name}"
    run_in_worlds(studio)
    [kept] = made_of(admin, name)
    assert "template" in kept or "kept" in kept, "only what was built is kept, for the next run"

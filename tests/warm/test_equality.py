"""Every hazard ends the same way, whether its attempt was forked from a server or started by itself."""

import shutil
from collections.abc import Iterator

import pytest
from support.project import Project, processes
from warm_hazards import CONFTEST, FILES, HANGING, OWN_MODULES, PACKAGES
from warm_world import Both, interpreter, kept, planned, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """The whole project cold, and again from a server that knows what an earlier run imported."""
    root = tmp_path_factory.mktemp("hazards")
    python = interpreter(root / "venv", PACKAGES)
    project = Project(root).write({"conftest.py": CONFTEST, "pytest.ini": "[pytest]\n"})
    project.write({f"test_{name}.py": text for name, text in FILES.items()})
    tests = {
        name: {
            "target": f"test_{name}.py",
            **({"timeout": "20s"} if name in HANGING else {}),
            **({"retries": {"max": 1, "delay": 0}} if name == "edits" else {}),
        }
        for name in FILES
    }
    planned(project, python, tests, env={"LEVEL": "7"})
    ways = []
    run(project, "--warm", "on", "--test", "seeds", "-v")  # It tells what is imported.
    for way in ("off", "on"):
        project.write(OWN_MODULES)
        (root / "sessions").unlink(missing_ok=True)
        ways.append(kept(run(project, "--warm", way, "-v"), root / way))
        shutil.copy(root / "sessions", root / way)
    yield Both(cold=ways[0], warm=ways[1])
    assert processes(str(root)) == []


@pytest.mark.parametrize("name", FILES)
def test_it_ends_the_same_way(both: Both, name: str) -> None:
    assert both.warm.seen(name) == both.cold.seen(name)


@pytest.mark.parametrize("name", FILES)
def test_it_was_started_as_it_was_meant_to_be(both: Both, name: str) -> None:
    assert both.cold.file(name, "started") == "cold"
    assert both.warm.file(name, "started") == "warm"


def test_what_must_not_be_imported_ahead_is_named(both: Both) -> None:
    ((way, why),) = both.warm.chosen
    assert way == "warm"
    for words in (
        "chatty_threads starts threads",
        "careless_environ cannot be imported: KeyError: 'E2E_TEST'",
        "warns_at_import warns at import: old",
        "keeps_stdout keeps a standard stream",
        "replaces_stderr puts something else in the place of the standard streams",
        "drawn draws by chance",
        "numbered asks for its process number",
        "looks_around looks at files of the project",
    ):
        assert words in why, why
    assert "others " not in why
    assert "seeded " not in why
    assert "forgets_stdout " not in why


def test_session_fixtures_run_in_each_process(both: Both) -> None:
    for attempts in (both.cold, both.warm):
        pids = (attempts.run.output / "sessions").read_text().split()
        assert len(set(pids)) == 2, pids


def test_chance_is_another_in_every_process(both: Both) -> None:
    told = [
        attempts.file(name, "chance") for attempts in (both.cold, both.warm) for name in ("seeds", "chance")
    ]
    assert None not in told
    assert len(set(told)) == len(told)


def test_an_edit_between_two_attempts_is_seen(both: Both) -> None:
    assert both.warm.run.ends["p/edits"] == "flaky"
    assert both.warm.file("edits", "started", attempt=2) == "warm"

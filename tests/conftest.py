"""What every test can rely on: the support package, a clean environment, nothing left behind."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from support.project import Project

# Properties hold on a busy machine too: no example has a deadline.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _environment_and_folder_stay() -> Iterator[None]:
    """A run of this suite may itself be a test of a run: its variables do not reach ours.

    The patch is this fixture's own: with ``monkeypatch`` it could be torn down before a test's patches are undone,
    and take those for changes.
    """
    with pytest.MonkeyPatch.context() as own:
        for name in list(os.environ):
            if name.startswith(("E2E_ORCHESTRATE_", "SLACK_WEBHOOK", "E2E_RUN_URL")):
                own.delenv(name)
        before, folder = dict(os.environ), Path.cwd()
        yield
        assert Path.cwd() == folder, "a test changed the working directory"
        changed = {name for name in {*before, *os.environ} if before.get(name) != os.environ.get(name)}
        assert not changed - {"PYTEST_CURRENT_TEST"}, f"a test changed the environment: {changed}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project folder; the marker lets a test look for processes it left behind."""
    return Project(tmp_path, env={"E2E_TEST_MARKER": str(tmp_path)})

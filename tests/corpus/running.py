"""A run over a part of the corpus, through the command line, and what it left behind."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.kinds import playwright_home
from support.project import COMMAND

LONGEST_RUN = 900.0


@dataclass(frozen=True, kw_only=True)
class World:
    """What a run over a part of the corpus left behind."""

    folder: Path
    exit_code: int
    printed: tuple[str, str]

    @property
    def output(self) -> Path:
        return self.folder / "test-results"

    @property
    def tests(self) -> dict[str, dict[str, Any]]:
        text = (self.output / "e2e-results.json").read_text(encoding="utf-8")
        results = json.loads(text, parse_constant=_refused)
        return {
            f"{phase['name']}/{test['name']}": test for phase in results["phases"] for test in phase["tests"]
        }


def _refused(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, names)), None)


def run(folder: Path, config: Mapping[str, Any], *arguments: str) -> World:
    """The suites stand in the folder already, and ``config`` names them; JSON is YAML."""
    (folder / "phases.yaml").write_text(json.dumps(config), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    (folder / "node_modules").symlink_to(playwright_home() / "node_modules")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ |= {"E2E_TEST_MARKER": str(folder), "CHROMIUM_PATH": chromium() or ""}
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        printed = process.communicate(timeout=LONGEST_RUN)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        raise AssertionError(f"the run did not end: {process.communicate()}") from None
    return World(folder=folder, exit_code=process.returncode, printed=printed)

"""A small real project in a temporary folder, run through the command line like a user would."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.model.events import Envelope
from e2e_orchestrator.model.summary import fold

COMMAND = (sys.executable, "-m", "e2e_orchestrator")
_LONGEST_RUN = 120.0
_PAUSE = threading.Event()  # Never set: waiting on it leaves the processor to what is waited for.


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A run from outside: its exit code, what it printed, what it wrote."""

    exit_code: int
    stdout: str
    stderr: str
    output: Path
    seconds: float = 0.0

    @property
    def results(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.output / "e2e-results.json").read_text())
        return loaded

    @property
    def last_line(self) -> dict[str, Any]:
        """The machine-readable end of standard error."""
        line = self.stderr.rstrip("\n").rpartition("\n")[2]
        assert line.startswith("E2E_RESULT "), self.stderr
        loaded: dict[str, Any] = json.loads(line.removeprefix("E2E_RESULT "))
        return loaded

    @property
    def tests(self) -> dict[str, dict[str, Any]]:
        return {
            f"{phase['name']}/{test['name']}": test
            for phase in self.results["phases"]
            for test in phase["tests"]
        }

    @property
    def ends(self) -> dict[str, str]:
        """Test -> its reason, or its status where there is none."""
        return {name: test["reason"] or test["status"] for name, test in self.tests.items()}

    @property
    def folder(self) -> Path:
        """The newest run's own folder."""
        return max((self.output / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)

    @property
    def journal(self) -> list[Envelope]:
        return list(JournalReader(self.folder / "journal.jsonl"))

    @property
    def ends_in_journal(self) -> dict[str, str]:
        """The same from the journal, for runs without a result file."""
        return {
            state.test.id: str(state.verdict.reason or state.verdict.status)
            for state in fold(self.journal).tests
        }

    def written(self) -> Iterator[tuple[Path, bytes]]:
        """Every file below the output folder."""
        return ((path, path.read_bytes()) for path in self.output.rglob("*") if path.is_file())


@dataclass
class Project:
    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, files: Mapping[str, str]) -> "Project":
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        return self

    def commands(self, tests: Mapping[str, str], **phase: Any) -> "Project":
        """phases.yaml with one phase ``p`` of plain commands; JSON is YAML."""
        return self.phases([{"name": "p", "tests": dict(tests), **phase}], kind="command")

    def phases(self, phases: Sequence[Mapping[str, Any]], *, kind: str = "pytest", **top: Any) -> "Project":
        made = [{"runner": "r", "retries": 0, **phase} for phase in phases]
        runner = {"kind": kind, **({"python": sys.executable} if kind == "pytest" else {})}
        config = {"version": 1, "project": "demo", "runners": {"r": runner}, "phases": made, **top}
        (self.root / "phases.yaml").write_text(json.dumps(config, indent=1))
        return self

    def start(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        **options: Any,
    ) -> subprocess.Popen[str]:
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        return subprocess.Popen(
            [*prefix, *COMMAND, *arguments],
            cwd=self.root,
            env={**os.environ, **self.env, **(env or {})},
            text=True,
            errors="replace",
            **given,
        )

    def finish(
        self,
        process: subprocess.Popen[str],
        *,
        output: str = "test-results",
        longest: float = _LONGEST_RUN,
    ) -> Finished:
        began = time.monotonic()
        try:
            stdout, stderr = process.communicate(timeout=longest)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            stdout, stderr = process.communicate()
            raise AssertionError(f"the run did not end:\n{stdout}\n{stderr}") from None
        return Finished(
            exit_code=process.returncode,
            stdout=stdout or "",
            stderr=stderr or "",
            output=self.root / output,
            seconds=time.monotonic() - began,
        )

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Finished:
        return self.finish(self.start(*arguments, env=env))


def processes(marker: str) -> list[str]:
    """Command lines of living processes that hold the marker in their arguments or their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (
                entry.name == str(os.getpid())
                or "Z" in (entry / "stat").read_text().rsplit(")", 1)[1].split()[:1]
            ):
                continue
            line = (entry / "cmdline").read_bytes()
            if marker.encode() in line or marker.encode() in (entry / "environ").read_bytes():
                found.append(f"{entry.name}: {line.replace(bytes(1), b' ').decode('utf-8', 'replace')}")
        except OSError:
            continue
    return found


def wait_until(condition: Any, *, seconds: float = 60.0, what: str = "the condition") -> Any:
    """The condition's first true value; an assertion with its name after so many seconds."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, f"{what} did not come true within {seconds:g} s"
        _PAUSE.wait(0.01)
    return value

"""Calls the program as a shell does, in this process: its exit code, its output, its errors."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e_orchestrator.cli.main import main

CONFIG = """\
project: studio
runners:
  backend: {kind: command}
services:
  db: {command: db --port 1, ready: {tcp: "localhost:1"}}
phases:
  - {name: health, runner: backend, timeout: 60s, tests: {api: "check api", redis: {target: r, tags: [infra]}}}
  - {name: backend_smoke, runner: backend, parallel: false, required: false, retries: 0, tests: {login: l}}
  - {name: full, runner: backend, description: Everything., tests: {all_of_it: {target: f, timeout: 20s}}}
"""


@dataclass(frozen=True)
class Called:
    code: int
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> Called:
    with pytest.raises(SystemExit) as leaving:
        main(list(arguments))
    captured = capsys.readouterr()
    assert isinstance(leaving.value.code, int)
    return Called(leaving.value.code, captured.out, captured.err)


def write_config(folder: Path, text: str = CONFIG) -> str:
    path = folder / "phases.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)

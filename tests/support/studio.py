"""The studio of the example, started beside a run instead of by it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from support.project import wait_until

ROOT = Path(__file__).parents[2]
STUDIO = ROOT / "examples" / "studio"
BACKEND_PHASES = ("health", "backend_smoke", "backend_flows", "database_integrity")
_PATIENCE = 120.0
_NO_HURRY = "30m"


def needs_studio() -> None:
    for module in ("fastapi", "fakeredis"):
        pytest.importorskip(module, reason="the studio's requirements are not installed; run scripts/test")


def free_ports(count: int) -> list[str]:
    command = [sys.executable, str(ROOT / "scripts/lib/free_ports.py"), *["0"] * count]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def surroundings(folder: Path) -> dict[str, str]:
    """A studio of its own at free ports, with its data in the folder."""
    api, web, port = free_ports(3)
    return {
        "API_URL": f"http://127.0.0.1:{api}",
        "WEB_URL": f"http://127.0.0.1:{web}",
        "REDIS_PORT": port,
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "DATABASE_URL": f"sqlite:///{folder / 'studio.sqlite3'}",
        "STUDIO_DATA": str(folder / "data"),
        "STUDIO_FAULT": "",
        "STUDIO_PYTHON": sys.executable,
        "E2E_TEST_MARKER": str(folder),
    }


def without_hurry(folder: Path) -> Path:
    """The studio's gate with limits that a busy machine keeps, too, as a file in the folder."""
    file: dict[str, Any] = yaml.safe_load((ROOT / "phases.yaml").read_text(encoding="utf-8"))
    for part in (*file["runners"].values(), *file["services"].values()):
        part["cwd"] = str(ROOT / part["cwd"])
    for limited in (file, *file["phases"], *(service["ready"] for service in file["services"].values())):
        limited["timeout"] = _NO_HURRY
    made = folder / "phases.yaml"
    made.write_text(json.dumps(file))
    return made


@contextmanager
def _serving(module: str, env: Mapping[str, str], *, port: int) -> Iterator[None]:
    """The service, from its first connection until it has ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=STUDIO / "backend",
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    with process:
        try:
            wait_until(lambda: process.poll() is not None or _answers(port), seconds=_PATIENCE, what=module)
            assert process.poll() is None, f"{module} ended with {process.returncode}"
            yield
        finally:
            process.terminate()


@contextmanager
def studio(env: Mapping[str, str], *services: str) -> Iterator[None]:
    """Its services (redis, api, web), at the ports that the environment names."""
    with ExitStack() as stack:
        for service in services:
            port = urlsplit(env[f"{service.upper()}_URL"]).port
            assert port is not None
            stack.enter_context(_serving(f"studio.{service}", env, port=port))
        yield


def _answers(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
        return True
    return False

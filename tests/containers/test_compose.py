"""docker-compose.test.yml is valid, waits for what it needs, and agrees with phases.yaml about every address."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.test.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
PHASES: dict[str, Any] = yaml.safe_load((ROOT / "phases.yaml").read_text(encoding="utf-8"))
ADDRESSES = ("API_URL", "WEB_URL", "REDIS_URL", "DATABASE_URL")


@pytest.mark.slow
def test_it_follows_the_compose_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    found = subprocess.run(check, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.slow
def test_docker_understands_it_where_docker_is_installed() -> None:
    if (
        subprocess.run(["sh", "-c", "docker compose version"], capture_output=True, check=False).returncode
        != 0
    ):
        return  # The specification, checked above, has to do.
    found = subprocess.run(
        ["docker", "compose", "--file", FILE, "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_version(name: str) -> None:
    _, colon, tag = SERVICES[name]["image"].rpartition(":")
    assert colon
    assert tag != "latest"


@pytest.mark.parametrize("name", [name for name in SERVICES if "build" in SERVICES[name]])
def test_what_is_built_has_a_dockerfile(name: str) -> None:
    assert (ROOT / SERVICES[name]["build"] / "Dockerfile").is_file()


@pytest.mark.parametrize("name", ["redis", "db", "api", "web"])
def test_the_runner_waits_until_the_service_is_healthy(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES["e2e-runner"]["depends_on"][name] == {"condition": "service_healthy"}


def test_no_health_check_needs_curl() -> None:
    programs = {
        service["healthcheck"]["test"][1] for service in SERVICES.values() if "healthcheck" in service
    }
    assert programs == {"redis-cli", "pg_isready", "python"}


@pytest.mark.parametrize(
    ("variable", "service"), list(zip(ADDRESSES, ["api", "web", "redis", "db"], strict=True))
)
def test_an_address_names_the_service_that_answers(variable: str, service: str) -> None:
    assert urlsplit(SERVICES["e2e-runner"]["environment"][variable]).hostname == service


@pytest.mark.parametrize(("variable", "service"), [("API_URL", "api"), ("WEB_URL", "web")])
def test_the_health_check_asks_the_port_of_the_address(variable: str, service: str) -> None:
    port = urlsplit(SERVICES[service]["environment"][variable]).port
    assert urlsplit(SERVICES[service]["healthcheck"]["test"][-1]).port == port


@pytest.mark.parametrize("variable", [*ADDRESSES, "STUDIO_FAULT"])
def test_the_services_and_the_runner_see_the_same(variable: str) -> None:
    assert len({SERVICES[name]["environment"][variable] for name in ("api", "web", "e2e-runner")}) == 1


def test_the_runner_sets_exactly_what_phases_yaml_reads() -> None:
    set_here = {
        name for name in SERVICES["e2e-runner"]["environment"] if not name.startswith("E2E_ORCHESTRATE_")
    }
    local = {"STUDIO_DATA"}  # The studio's own folder: in its own container.
    assert set_here == PHASES["env"].keys() - local
    assert all(f"${{{name}:-" in value for name, value in PHASES["env"].items())


def test_the_runner_starts_no_service_itself() -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")},
        **{
            name: re.sub(r"\$\{.*\}", "", value)
            for name, value in SERVICES["e2e-runner"]["environment"].items()
        },
        "COLUMNS": "200",
    }
    program = [sys.executable, "-m", "e2e_orchestrator", "plan"]
    shown = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "studio.api" not in shown.stdout


def test_the_runner_has_one_init() -> None:
    assert "init" not in SERVICES["e2e-runner"]
    assert '"tini"' in (ROOT / "Dockerfile").read_text(encoding="utf-8")

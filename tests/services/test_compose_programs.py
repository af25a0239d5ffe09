"""Which program drives a compose file, and what is said where none can; what is left with an engine is found again."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from e2e_orchestrator.cli.clean_containers import clean_containers
from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.journal.runs import Run
from e2e_orchestrator.model.names import CONTAINERS
from e2e_orchestrator.model.service import Compose
from e2e_orchestrator.services.compose import find_driver, project_of
from e2e_orchestrator.services.containers import Containers, noted

COMPOSE = Compose(file="/shop/compose.yml")
WORKS, FAILS = "exit 0", "exit 1"
AS_A_PLUGIN = '[ "$1" != compose ]'  # Like a program without the plugin.


def programs(folder: Path, scripts: Mapping[str, str]) -> dict[str, str]:
    """An environment with these programs and no others."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("there", "words", "engine"),
    [
        pytest.param({"docker": WORKS, "podman": WORKS}, "docker compose", "docker", id="docker comes first"),
        pytest.param(
            {"podman": WORKS, "podman-compose": WORKS}, "podman compose", "podman", id="podman knows compose"
        ),
        pytest.param(
            {"podman": AS_A_PLUGIN, "podman-compose": WORKS},
            "podman-compose",
            "podman",
            id="podman before 4.7",
        ),
        pytest.param(
            {"docker": AS_A_PLUGIN, "podman": AS_A_PLUGIN, "podman-compose": WORKS},
            "podman-compose",
            "podman",
            id="a docker without its plugin is none",
        ),
    ],
)
def test_the_first_program_that_works_is_taken(
    tmp_path: Path, there: dict[str, str], words: str, engine: str
) -> None:
    driver = find_driver(COMPOSE, environ=programs(tmp_path, there))
    assert (driver.spelt, driver.engine) == (words, engine)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        pytest.param(
            {}, "neither docker nor podman is on PATH, and /shop/compose.yml needs one", id="nothing"
        ),
        pytest.param(
            {"docker": AS_A_PLUGIN},
            "/shop/compose.yml needs a compose program, but `docker compose version` failed",
            id="docker without its plugin",
        ),
        pytest.param(
            {"podman": AS_A_PLUGIN, "podman-compose": FAILS},
            "/shop/compose.yml needs a compose program, but `podman compose version` and `podman-compose version` failed",
            id="all fail",
        ),
    ],
)
def test_what_is_missing_is_said_with_what_to_install(
    tmp_path: Path, there: dict[str, str], said: str
) -> None:
    with pytest.raises(InfrastructureError) as raised:
        find_driver(COMPOSE, environ=programs(tmp_path, there))
    assert raised.value.message == said
    assert "podman-compose" in str(raised.value.hint)


def test_a_program_that_cannot_be_started_does_not_work(tmp_path: Path) -> None:
    environ = programs(tmp_path, {"docker": WORKS, "podman": WORKS})
    (tmp_path / "docker").write_text("#!/no/such/interpreter\n")
    assert find_driver(COMPOSE, environ=environ).engine == "podman"


@pytest.mark.parametrize("label", ["web", "web (slot 1)", "Größe.2", "_"])
def test_a_project_has_a_name_that_every_engine_takes(label: str) -> None:
    name = project_of("20261120-181500-ab12cd", label)
    assert name.startswith("e2e-20261120-181500-ab12cd")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not name.endswith("-")


@pytest.mark.parametrize(
    "labels", [("a_b", "a-b"), ("Db", "db"), ("web (slot 1)", "web-slot-1"), ("_", ".")], ids=" and ".join
)
def test_two_services_never_have_one_project(labels: tuple[str, str]) -> None:
    """Whose containers the one would stop with its own; ``clean`` knows each by how it begins."""
    one, other = (project_of("20261120-181500-ab12cd", label) for label in labels)
    assert one != other
    assert all(name.startswith("e2e-20261120-181500-ab12cd-") for name in (one, other))


ENGINE = """
echo "$@" >>"$CALLS"
case $1-$2 in
  ps---all) echo c1 c2 ;;
  rm-*) exit ${RM_STATUS:-0} ;;
  network-ls) echo n1 ;;
esac
"""


class TestLeft:
    """Of a stand-in for the engine that writes down how it was called."""

    @pytest.fixture
    def run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
        folder = tmp_path / "runs/r-1"
        folder.mkdir(parents=True)
        environ = programs(tmp_path, {"podman": ENGINE})
        monkeypatch.setenv("PATH", f"{environ['PATH']}:{os.environ['PATH']}")
        monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
        return Run(folder=folder)

    def test_containers_go_before_what_they_hold(self, run: Run, tmp_path: Path) -> None:
        Containers(engine="podman", project="e2e-r-1-web").note(run.folder)
        done = list(clean_containers([run], dry_run=False))
        assert done == ["removed containers, networks and volumes of e2e-r-1-web (podman)"]
        calls = (tmp_path / "calls").read_text().splitlines()
        chosen = "--quiet --filter label=com.docker.compose.project=e2e-r-1-web"
        assert calls == [
            f"ps --all {chosen}",
            "rm --force --volumes c1 c2",
            f"network ls {chosen}",
            "network rm n1",
            f"volume ls {chosen}",
        ]
        assert not (run.folder / CONTAINERS).exists()

    def test_what_an_engine_does_not_remove_stays_noted(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("RM_STATUS", "1")
        containers = Containers(engine="podman", project="e2e-r-1-web")
        containers.note(run.folder)
        assert list(clean_containers([run], dry_run=False)) == []
        assert "of e2e-r-1-web (podman) are left: podman failed" in capsys.readouterr().err
        assert list(noted(run.folder)) == [containers]

    @pytest.mark.parametrize(
        "text",
        [
            '{"engine": "podman", "project": "e2e-r-2-web"}',
            '{"engine": "podman", "project": "production"}',
            '{"engine": "rm", "project": "e2e-r-1-web"}',
            '["podman"]',
            "{",
        ],
        ids=["another run", "no run", "no engine", "no mapping", "half a file"],
    )
    def test_a_note_that_we_did_not_write_calls_nobody(self, run: Run, tmp_path: Path, text: str) -> None:
        (run.folder / CONTAINERS).mkdir()
        (run.folder / CONTAINERS / "x.json").write_text(text)
        assert list(clean_containers([run], dry_run=False)) == []
        assert not (tmp_path / "calls").exists()

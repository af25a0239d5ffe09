"""Services of a compose file with a real container engine: what a run starts there, waits for, and takes away."""

import json
import os
import re
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from support.engine import IMAGE, Engine, NoEngineError, engine
from support.project import Finished, Project, wait_until

from e2e_orchestrator.services.containers import noted

pytestmark = pytest.mark.slow

SERVES = "mkdir -p /www; echo hello > /www/index.html; busybox httpd -f -p 8080 -h /www & wait"
# Answers until somebody calls its other port.
MORTAL = "mkdir -p /www; echo hello > /www/index.html; busybox httpd -p 8080 -h /www; busybox nc -l -p 8081; echo my last words; exit 7"
CALL = "busybox wget -Y off -q -O - http://127.0.0.1:${WEB_PORT}/"
KILLS = "echo | busybox nc -w 1 127.0.0.1 ${KILL_PORT}; while busybox nc -w 1 127.0.0.1 ${WEB_PORT} </dev/null; do :; done; exit 1"


@pytest.fixture(scope="module")
def podman() -> Iterator[Engine]:
    try:
        with engine(dict(os.environ)) as made:
            yield made
    except NoEngineError as error:
        pytest.skip(str(error))


@pytest.fixture
def boxes(podman: Engine, project: Project) -> Iterator[Project]:
    """A project whose runs use that engine, and leave nothing there."""
    project.env.update(podman.env)
    yield project
    assert podman.left() == {"containers": [], "networks": [], "volumes": []}


def box(script: str, **more: Any) -> dict[str, Any]:
    return {
        "image": IMAGE,
        "command": [
            "/bin/sh",
            "-c",
            f"echo from the first byte; trap 'echo asked to end; exit 0' TERM; {script}",
        ],
        **more,
    }


def web(script: str = SERVES, **more: Any) -> dict[str, Any]:
    return box(script, ports=["127.0.0.1:${WEB_PORT}:8080"], **more)


MORTAL_WEB = {**web(MORTAL), "ports": ["127.0.0.1:${WEB_PORT}:8080", "127.0.0.1:${KILL_PORT}:8081"]}


def with_containers(
    project: Project, containers: dict[str, Any], tests: dict[str, str], *, retries: int = 0, **service: Any
) -> Project:
    volumes = {"data": {}} if "data:" in str(containers) else {}
    project.write({"compose.yml": json.dumps({"services": containers, "volumes": volumes})})
    service = {
        "compose": {"file": "compose.yml"},
        "ports": ["WEB_PORT", "KILL_PORT"],
        "ready": {"http": "http://127.0.0.1:${WEB_PORT}/", "timeout": "60s"},
        **service,
    }
    phase = {"name": "p", "tests": tests, "parallel": False, "retries": {"max": retries, "delay": 0}}
    return project.phases([phase], kind="command", services={"web": service})


def log_of(run: Finished) -> str:
    return (run.folder / "services/web.log").read_text()


def test_a_test_talks_to_a_container(boxes: Project) -> None:
    run = with_containers(boxes, {"web": web(volumes=["data:/data"])}, {"t": CALL}).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert (run.folder / "p/t/attempt-1/output.log").read_text() == "hello\n"
    said = log_of(run).splitlines()
    assert said.index("from the first byte") < said.index("asked to end")
    assert "Traceback (most recent call last):" not in said
    assert list(noted(run.folder)) == []


def test_two_runs_share_no_container(boxes: Project) -> None:
    with_containers(boxes, {"web": web()}, {"t": CALL})
    both = [(name, boxes.start("--output", name)) for name in ("one", "two")]
    assert [boxes.finish(process, output=name).exit_code for name, process in both] == [0, 0]


def test_a_container_that_dies_at_its_start_is_named(boxes: Project) -> None:
    run = with_containers(boxes, {"web": box("echo no configuration; exit 3")}, {"t": "true"}).run()
    assert run.exit_code == 5
    assert run.ends == {"p/t": "blocked"}
    assert "container web_1 ended with exit status 3 before it was ready" in run.last_line["why"]
    assert "no configuration" in run.stdout


@pytest.mark.parametrize(
    "company", [{}, {"other": box("busybox sleep 300 & wait")}], ids=["alone", "beside another"]
)
def test_a_container_that_dies_is_one_failure_with_its_last_words(
    boxes: Project, company: dict[str, Any]
) -> None:
    tests = {"before": CALL, "under": f"sh -c '{KILLS}'", "after": CALL}
    run = with_containers(boxes, {"web": MORTAL_WEB, **company}, tests).run()
    assert run.exit_code == 5
    assert run.ends == {"p/before": "passed", "p/under": "infrastructure", "p/after": "blocked"}
    assert "container web_1 ended with exit status 7 while tests were running" in run.last_line["why"]
    assert "my last words" in run.stdout


def test_one_that_died_is_started_again_beside_another(boxes: Project) -> None:
    tests = {"t": f"sh -c '[ $E2E_ATTEMPT = 1 ] || exit 0; {KILLS}'"}
    containers = {"web": MORTAL_WEB, "other": box("busybox sleep 300 & wait")}
    run = with_containers(boxes, containers, tests, retries=1, restart="on-failure").run()
    assert run.exit_code == 0, run.stdout
    assert run.ends == {"p/t": "flaky"}
    assert log_of(run).splitlines().count("from the first byte") == 4


def test_what_others_need_ends_after_them(boxes: Project) -> None:
    containers = {
        "db": {
            **box(""),
            "command": ["/bin/sh", "-c", "trap 'echo db ends; exit 0' TERM; busybox sleep 300 & wait"],
        },
        "unused": {"image": "localhost/there-is-none:1"},
        "web": {
            **web(depends_on=["db"]),
            "command": ["/bin/sh", "-c", f"trap 'echo web ends; exit 0' TERM; {SERVES}"],
        },
    }
    compose = {"file": "compose.yml", "services": ["web"]}
    run = with_containers(boxes, containers, {"t": CALL}, compose=compose).run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert re.findall(r"^(?:db|web) ends$", log_of(run), re.MULTILINE) == ["web ends", "db ends"]


def test_they_are_kept_until_nobody_wants_them_any_more(boxes: Project, podman: Engine) -> None:
    process = with_containers(boxes, {"web": web()}, {"t": CALL}).start("--keep-services")
    assert process.stdout
    while "Ctrl-C" not in process.stdout.readline():
        assert process.poll() is None
    assert len(podman.left()["containers"]) == 1
    process.send_signal(signal.SIGINT)
    assert boxes.finish(process).exit_code == 0


def test_an_interrupt_takes_them_away(boxes: Project) -> None:
    waits = "sh -c 'touch there; sleep 300'"
    process = with_containers(boxes, {"web": web()}, {"t": waits}).start()
    wait_until((boxes.root / "there").exists)
    process.send_signal(signal.SIGTERM)
    run = boxes.finish(process)
    assert (run.exit_code, run.ends) == (143, {"p/t": "interrupted"})
    assert "asked to end" in log_of(run).splitlines()


def test_what_a_killed_run_left_is_cleaned(boxes: Project, podman: Engine) -> None:
    waits = "sh -c 'touch there; sleep 300'"
    process = with_containers(boxes, {"web": web()}, {"t": waits}).start()
    wait_until((boxes.root / "there").exists)
    process.kill()
    killed = boxes.finish(process)
    assert len(podman.left()["containers"]) == 1
    (project,) = (one.project for one in noted(killed.folder))
    boxes.write({"compose.yml": "the file is another by now"})
    would = boxes.run("clean", "--dry-run")
    assert f"would remove containers, networks and volumes of {project} (podman)" in would.stdout
    done = boxes.run("clean")
    assert f"removed containers, networks and volumes of {project} (podman)" in done.stdout
    assert "removed containers" not in boxes.run("clean").stdout

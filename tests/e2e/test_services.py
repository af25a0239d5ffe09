"""Runs with services of every kind: what is started when, what tests see of it, and what is left."""

import json
import signal
import socket
import subprocess
import sys
from typing import Any

import pytest
from support.project import Finished, Project, processes, wait_until
from support.servers import ASKING, FILES, WEB

from e2e_orchestrator.model.events import AttemptFinished, ServiceFailed, ServiceReady, ServiceStarted


def with_services(project: Project, services: dict[str, Any], *phases: dict[str, Any], **top: Any) -> Project:
    return project.write(FILES).phases(phases, kind="command", services=services, **top)


def outputs(run: Finished, test: str) -> str:
    return (run.folder / test / "attempt-1" / "output.log").read_text()


def test_a_free_port_reaches_the_service_its_probe_and_the_tests(project: Project) -> None:
    tests = {"t": f"sh -c '{ASKING} $WEB_URL'", "env": "printenv WEB_PORT"}
    with_services(
        project,
        {"web": WEB},
        {"name": "p", "tests": tests},
        env={"WEB_URL": "http://127.0.0.1:${WEB_PORT}/x"},
    )
    run = project.run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert '"status": "up"' in outputs(run, "p/t")
    assert outputs(run, "p/env").strip().isdigit()
    assert processes(str(project.root)) == []


@pytest.mark.slow
def test_without_services_the_port_is_whoever_started_thems_to_say(project: Project) -> None:
    with_services(project, {"web": WEB}, {"name": "p", "tests": {"t": "echo ${WEB_PORT}"}})
    refused = project.run("--no-services")
    assert refused.exit_code == 2
    assert "WEB_PORT=8000" in refused.stderr
    run = project.run("--no-services", env={"WEB_PORT": "4711"})
    assert (run.exit_code, outputs(run, "p/t")) == (0, "4711\n")


def test_services_start_by_their_needs_and_tasks_are_done_before(project: Project) -> None:
    services = {
        "api": {"command": "sh -c 'test -e seeded && exec sleep 300'", "needs": ["seed"]},
        "seed": {"task": True, "command": "sh -c 'test -e migrated && touch seeded'", "needs": ["migrate"]},
        "migrate": {"task": True, "command": "touch migrated", "needs": []},
    }
    run = with_services(project, services, {"name": "p", "tests": {"t": "test -e seeded"}}).run()
    assert run.exit_code == 0, run.stdout
    ready = [one.event.service for one in run.journal if isinstance(one.event, ServiceReady)]
    assert ready == ["migrate", "seed", "api"]


@pytest.mark.slow
def test_independent_services_start_side_by_side(project: Project) -> None:
    wait = "until test -e {1}; do sleep 0.01; done"
    services = {
        name: {
            "command": ["sh", "-c", f"touch {name}; {wait.replace('{1}', other)}; sleep 300"],
            "needs": [],
            "ready": {"command": ["test", "-e", other], "timeout": "20s"},
        }
        for name, other in (("one", "two"), ("two", "one"))
    }
    run = with_services(project, services, {"name": "p", "tests": {"t": "true"}}).run()
    assert run.exit_code == 0, run.stdout


def test_a_task_that_fails_blocks_every_test_with_its_last_words(project: Project) -> None:
    services = {"migrate": {"task": True, "command": "sh -c 'echo no such table; exit 3'"}}
    run = with_services(project, services, {"name": "p", "tests": {"t": "touch ran"}}).run()
    assert run.exit_code == 5
    assert run.ends == {"p/t": "blocked"}
    assert "a task has to end with 0" in run.stdout
    assert "no such table" in run.stdout
    assert not (project.root / "ran").exists()


@pytest.mark.slow
def test_a_task_is_not_waited_for_without_a_limit(project: Project) -> None:
    services = {"migrate": {"task": True, "command": "sleep 300", "timeout": "500ms"}}
    run = with_services(project, services, {"name": "p", "tests": {"t": "true"}}).run()
    assert run.exit_code == 5
    assert "took more than 0.5 s" in run.stdout
    assert processes(str(project.root)) == []


@pytest.mark.slow
def test_what_is_external_is_waited_for_and_never_ended(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ready = {"tcp": f"127.0.0.1:{listening.getsockname()[1]}", "timeout": "5s"}
        run = with_services(
            project, {"db": {"external": True, "ready": ready}}, {"name": "p", "tests": {"t": "true"}}
        ).run()
    assert run.exit_code == 0, run.stdout
    assert not (run.folder / "services").exists()


@pytest.mark.slow
def test_each_phase_has_its_own_instance(project: Project) -> None:
    phases = [
        {"name": name, "tests": {"t": ASKING + " http://127.0.0.1:${WEB_PORT}/"}} for name in ("a", "b")
    ]
    run = with_services(project, {"web": {**WEB, "scope": "phase"}}, *phases).run()
    assert run.exit_code == 0, run.stdout
    pids = {json.loads(outputs(run, f"{name}/t"))["pid"] for name in ("a", "b")}
    assert len(pids) == 2
    started = [one.event.service for one in run.journal if isinstance(one.event, ServiceStarted)]
    assert started == ["web (phase a)", "web (phase b)"]
    assert (run.folder / "services/phase-a/web.log").is_file()


def test_each_slot_has_its_own_instance_started_when_it_is_needed(project: Project) -> None:
    # Each waits until both run, so that both slots are in use.
    together = "sh -c 'touch here-{0}; until test -e here-{1}; do sleep 0.01; done; exec " + ASKING
    tests = {
        one: together.format(one, other) + " http://127.0.0.1:$WEB_PORT/'"
        for one, other in (("a", "b"), ("b", "a"))
    }
    services = {"web": {**WEB, "scope": "slot"}}
    run = with_services(
        project, services, {"name": "p", "tests": tests}, {"name": "q", "tests": {"t": "true"}}
    ).run("--workers", "2")
    assert run.exit_code == 0, run.stdout
    assert len({json.loads(outputs(run, f"p/{name}"))["pid"] for name in ("a", "b")}) == 2
    started = sorted(one.event.service for one in run.journal if isinstance(one.event, ServiceStarted))
    assert started == ["web (slot 0)", "web (slot 1)"]
    assert processes(str(project.root)) == []


DEATH = ASKING + " http://127.0.0.1:${WEB_PORT}/die"


def test_a_service_that_dies_is_one_failure_and_no_storm(project: Project) -> None:
    tests = {"a": DEATH, **dict.fromkeys("bcdef", ASKING + " http://127.0.0.1:${WEB_PORT}/")}
    run = with_services(
        project, {"web": WEB}, {"name": "p", "tests": tests, "parallel": False, "retries": {"max": 2, "delay": 0}},
        {"name": "q", "tests": {"t": "true"}},
    ).run()  # fmt: skip
    assert run.exit_code == 5
    assert run.ends == {
        "p/a": "infrastructure",
        **{f"p/{name}": "blocked" for name in "bcdef"},
        "q/t": "blocked",
    }
    assert len(run.tests["p/a"]["attempts"]) == 1
    [failed] = [one.event for one in run.journal if isinstance(one.event, ServiceFailed)]
    assert failed.message == "ended with exit status 7 while tests were running"
    assert "the cause of it all" in failed.tail
    assert "exit status 7" in run.tests["p/b"]["error"]
    assert run.stdout.count("✗ service web") >= 1


@pytest.mark.slow
def test_a_test_that_runs_when_its_service_dies_is_ended(project: Project) -> None:
    began = """printf '{"event": "case_started", "id": "c"}\\n' >>"$E2E_EVENTS"\n"""
    project.write({"wait.sh": f"{began}touch waiting; sleep 300\n"})
    tests = {
        "waits": "sh wait.sh",
        "kills": f"sh -c 'until test -e waiting; do sleep 0.01; done; {DEATH}'",
    }
    run = with_services(project, {"web": WEB}, {"name": "p", "tests": tests}).run("--workers", "2")
    assert run.exit_code == 5
    assert run.ends == {"p/waits": "infrastructure", "p/kills": "infrastructure"}
    why = "service 'web' ended with exit status 7 while tests were running"
    assert run.tests["p/waits"]["attempts"][0]["message"] == why
    assert [one["message"] for one in run.tests["p/waits"]["cases"]] == [f"was running when {why}"]
    assert "✗ p/waits" in run.stdout
    assert "  its environment failed\n" in run.stdout
    assert run.tests["p/waits"]["duration"] < 60


def test_a_service_may_be_started_again_and_the_test_is_tried_again(project: Project) -> None:
    target = (
        "sh -c 'test $E2E_ATTEMPT = 1 && path=die || path=fine; "
        + ASKING
        + " http://127.0.0.1:$WEB_PORT/$path'"
    )
    service = {**WEB, "restart": {"policy": "on-failure", "limit": 1}}
    phase = {"name": "p", "tests": {"t": target}, "retries": {"max": 2, "delay": 0}}
    run = with_services(project, {"web": service}, phase).run()
    assert run.exit_code == 0, run.stdout
    assert run.ends == {"p/t": "flaky"}
    assert run.results["services"][0]["restarts"] == 1
    assert [one["reason"] for one in run.tests["p/t"]["attempts"]] == ["infrastructure", None]
    assert "started again (1 of 1)" in run.stdout


@pytest.mark.slow
def test_restarts_have_an_end(project: Project) -> None:
    service = {**WEB, "restart": {"policy": "on-failure", "limit": 1}}
    phase = {"name": "p", "tests": {"t": DEATH}, "retries": {"max": 5, "delay": 0}}
    run = with_services(project, {"web": service}, phase).run()
    assert run.exit_code == 5
    assert len(run.tests["p/t"]["attempts"]) == 2


@pytest.mark.slow
def test_a_service_that_lives_and_does_not_answer_is_found_before_the_retry(project: Project) -> None:
    tests = {"t": "sh -c '" + ASKING + " http://127.0.0.1:$WEB_PORT/hang; exit 1'"}
    phase = {"name": "p", "tests": tests, "retries": {"max": 3, "delay": 0}}
    run = with_services(project, {"web": WEB}, phase).run()
    assert run.exit_code == 5
    assert run.ends == {"p/t": "infrastructure"}
    assert len(run.tests["p/t"]["attempts"]) == 2
    assert "does not answer any more" in run.stdout


@pytest.mark.slow
def test_a_failure_shows_what_the_service_said_in_those_seconds(project: Project) -> None:
    tests = {
        "before": ASKING + " http://127.0.0.1:${WEB_PORT}/long-before",
        "broken": "sh -c '" + ASKING + " http://127.0.0.1:$WEB_PORT/the-broken-one; exit 1'",
    }
    run = with_services(project, {"web": WEB}, {"name": "p", "tests": tests, "parallel": False}).run(
        env={"MY_TOKEN": "s3cr3t-0123456789"}
    )
    assert run.exit_code == 1
    [slice_] = run.tests["p/broken"]["attempts"][0]["services"]
    log = (run.output / slice_["log"]).read_bytes()
    said = log[slice_["begin"] : slice_["end"]].decode()
    assert said == "asked for /the-broken-one\n"
    shown = run.stdout.partition("p/broken")[2].partition("NO GO")[0]
    assert "asked for /the-broken-one" in shown
    assert "long-before" not in shown
    assert b"listening, token ***" in log
    attempts = [one.event.attempt for one in run.journal if isinstance(one.event, AttemptFinished)]
    assert [len(attempt.services) for attempt in attempts] == [1, 1]
    times = (run.folder / "services/web.log.times").read_text().split("\n")[:-1]
    assert times[0].split()[1] == "0"
    assert all(float(line.split()[0]) > 1e9 for line in times)


def test_somebody_elses_server_on_the_port_is_not_taken_for_ours(project: Project) -> None:
    """The service never listens itself; a process from before takes the port after we have looked."""
    project.write(
        {
            "late.py": """
            import http.server, os, sys, time
            while not os.path.exists("go"): time.sleep(0.01)
            http.server.HTTPServer(("127.0.0.1", int(open("go").read())), http.server.SimpleHTTPRequestHandler).serve_forever()
            """
        }
    )
    stranger = subprocess.Popen([sys.executable, "late.py"], cwd=project.root, stderr=subprocess.DEVNULL)
    try:
        service = {**WEB, "command": "sh -c 'printf ${port} > go.part; mv go.part go; sleep 300'"}
        run = with_services(project, {"web": service}, {"name": "p", "tests": {"t": "true"}}).run()
    finally:
        stranger.kill()
        stranger.wait()
    assert run.exit_code == 5
    assert f"process {stranger.pid} answers, which is not the service's" in run.stdout
    assert run.ends == {"p/t": "blocked"}


@pytest.mark.slow
def test_services_are_kept_until_a_signal_comes_and_the_verdict_stays(project: Project) -> None:
    with_services(project, {"web": WEB}, {"name": "p", "tests": {"t": "true"}})
    log = (project.root / "console").open("w+")
    with log:
        process = project.start("--keep-services", stdout=log)
        wait_until(lambda: "Services are kept" in (project.root / "console").read_text(), what="the notice")
        assert any("server.py" in line for line in processes(str(project.root)))
        process.send_signal(signal.SIGINT)
        run = project.finish(process)
    assert run.exit_code == 0
    assert processes(str(project.root)) == []


@pytest.mark.slow
@pytest.mark.parametrize("policy", [{"signal": "SIGTERM", "grace": "5s"}, {"signal": "SIGHUP"}])
def test_a_service_is_asked_to_end_by_the_signal_it_knows(project: Project, policy: dict[str, str]) -> None:
    name = policy["signal"].removeprefix("SIG")
    project.write(
        {
            "trap.sh": f"trap 'echo got {name}; exit 0' {name}\ntrap 'echo wrong' INT\ntouch up\nwhile :; do sleep 0.05; done\n"
        }
    )
    service = {"command": "sh trap.sh", "ready": {"command": "test -e up"}, "stop": policy}
    run = with_services(project, {"s": service}, {"name": "p", "tests": {"t": "true"}}).run()
    assert run.exit_code == 0, run.stdout
    said = (run.folder / "services/s.log").read_text()  # The shell may name the signal of its child, too.
    assert said.endswith(f"got {name}\n")
    assert "wrong" not in said


@pytest.mark.slow
def test_without_a_container_engine_it_says_what_is_missing(project: Project) -> None:
    project.write({"compose.yml": "services: {db: {image: postgres}}\n"})
    services = {"db": {"compose": {"file": "compose.yml"}}}
    with_services(project, services, {"name": "p", "tests": {"t": "true"}})
    run = project.run(env={"PATH": str(project.root)})
    assert run.exit_code == 5
    assert "neither docker nor podman is on PATH" in run.last_line["why"] + run.tests["p/t"]["error"]


@pytest.mark.slow
def test_an_interrupt_while_a_slots_services_start_leaves_nothing(project: Project) -> None:
    service = {
        "scope": "slot",
        "command": "sh -c 'touch starting; sleep 300'",
        "ready": {"log": "never", "timeout": "60s"},
    }
    with_services(project, {"s": service}, {"name": "p", "tests": {"t": "true"}, "timeout": "90s"})
    process = project.start()
    wait_until((project.root / "starting").exists)
    process.send_signal(signal.SIGINT)
    run = project.finish(process)
    assert run.exit_code == 130
    assert run.ends == {"p/t": "interrupted"}
    assert run.seconds < 7
    assert processes(str(project.root)) == []


@pytest.mark.slow
def test_a_slots_services_have_no_more_time_than_the_phase(project: Project) -> None:
    service = {"scope": "slot", "command": "sleep 300", "ready": {"log": "never", "timeout": "60s"}}
    phase = {"name": "p", "tests": {"t": "true", "u": "true"}, "timeout": "1s"}
    run = with_services(project, {"s": service}, phase).run("--workers", "1")
    assert run.exit_code == 1
    assert run.ends == {"p/t": "timeout", "p/u": "cancelled"}
    assert "while its services started" in run.tests["p/t"]["error"]
    assert processes(str(project.root)) == []


@pytest.mark.slow
def test_services_end_after_those_that_need_them(project: Project) -> None:
    trap = "trap 'echo {0} >> ends; exit 0' INT; touch {0}.up; while :; do sleep 0.05; done"
    services = {
        name: {
            "command": ["sh", "-c", trap.format(name)],
            "ready": {"command": f"test -e {name}.up"},
            "needs": needs,
        }
        for name, needs in (("db", []), ("cache", []), ("api", ["db", "cache"]), ("web", ["api"]))
    }
    run = with_services(project, services, {"name": "p", "tests": {"t": "true"}}).run()
    assert run.exit_code == 0, run.stdout
    ends = (project.root / "ends").read_text().split()
    assert ends[:2] == ["web", "api"]
    assert sorted(ends[2:]) == ["cache", "db"]

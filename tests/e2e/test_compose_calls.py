"""How a compose program and its engine are called, and what they are believed.

They are stand-ins here; ``test_compose_services`` has a real engine.
"""

import os
import re
from typing import Any

from support.project import Finished, Project
from support.servers import PYTHON


def run_with(project: Project, service: dict[str, Any], tests: dict[str, str], **env: str) -> Finished:
    """Of docker there is only the stand-in."""
    (project.root / "bin/docker").chmod(0o755)
    project.phases([{"name": "p", "tests": tests}], kind="command", services={"db": service})
    return project.run(env={"PATH": f"{project.root}/bin:{os.environ['PATH']}", **env})


STUB = f"""#!{PYTHON}
import os, signal, sys, threading
with open(os.environ["CALLS"], "a") as calls:
    print(" ".join(sys.argv[1:]), "PORT=" + os.environ.get("DB_PORT", ""), file=calls)
if "up" in sys.argv:
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    print("database system is ready", flush=True)
    while True: signal.pause()
"""


def test_compose_is_called_for_its_services_and_for_their_end(project: Project) -> None:
    project.write({"bin/docker": STUB, "compose.yml": "services: {db: {image: postgres}}\n"})
    service = {
        "compose": {"file": "compose.yml", "services": ["db"]},
        "ports": ["DB_PORT"],
        "ready": {"log": "ready$", "timeout": "20s"},
    }
    run = run_with(project, service, {"t": "test -n '${DB_PORT}'"}, CALLS=str(project.root / "calls"))
    assert run.exit_code == 0, run.stdout
    calls = (project.root / "calls").read_text().splitlines()
    name = f"e2e-{run.last_line['run_id']}-db"
    base = f"compose --file {project.root}/compose.yml --project-name {name}"
    up = next(call for call in calls if " up " in call)
    assert re.fullmatch(re.escape(f"{base} up --no-color db PORT=") + r"\d{5}", up)
    port = up.partition(" PORT=")[2]
    chosen = f"--filter label=com.docker.compose.project={name}"
    assert [call.removesuffix(f" PORT={port}") for call in calls if "--format" not in call] == [
        "compose version",
        f"{base} up --no-color db",
        f"{base} stop --timeout 3",
        f"ps --all --quiet {chosen}",
        f"network ls --quiet {chosen}",
        f"volume ls --quiet {chosen}",
    ]


BEHIND = f"""#!{PYTHON}
import signal, sys
from pathlib import Path
if "up" in sys.argv:
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    print("ready", flush=True)
    while True: signal.pause()
asked = Path("asked")
if "--format" in sys.argv and Path("dead").exists():
    before = len(asked.read_text()) if asked.exists() else 0
    asked.write_text("." * (before + 1))
    print("web_1\\t" + ("Exited (7) 1 second ago" if before else "Up 9 seconds"))
"""


def test_an_engine_may_learn_of_a_death_after_its_callers(project: Project) -> None:
    project.write({"bin/docker": BEHIND, "compose.yml": "services: {web: {image: shop}}\n"})
    service = {"compose": {"file": "compose.yml"}, "ready": {"command": "test ! -e dead", "timeout": "20s"}}
    run = run_with(project, service, {"under": "sh -c 'touch dead; exit 1'"})
    assert run.exit_code == 5, run.stdout
    assert run.ends == {"p/under": "infrastructure"}
    assert "container web_1 ended with exit status 7 while tests were running" in run.last_line["why"]

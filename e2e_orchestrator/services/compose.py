"""Services of a compose file: which program drives them, and what to call for their start and their end."""

import hashlib
import math
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.service import Compose

_ANSWER_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What reads compose files: ``words`` begin each of its calls, ``engine`` is the program that has its containers."""

    words: tuple[str, ...]
    engine: str

    @property
    def spelt(self) -> str:
        return " ".join(self.words)


# Podman before 4.7 has no `compose`, and Debian keeps the program that stands in for it in a package of its own.
_DRIVERS = (
    Driver(words=("docker", "compose"), engine="docker"),
    Driver(words=("podman", "compose"), engine="podman"),
    Driver(words=("podman-compose",), engine="podman"),
)
_HINT = (
    "install the compose plugin of docker, or podman and podman-compose, or start the containers elsewhere and use "
    "--no-services"
)


def find_driver(compose: Compose, *, environ: Mapping[str, str]) -> Driver:
    """The first that answers: a docker without its compose plugin is on many machines that have podman, too.

    Raises InfrastructureError if there is none. Runs programs, for a second at most on a sound machine.
    """
    present = [one for one in _DRIVERS if shutil.which(one.words[0], path=environ.get("PATH"))]
    for driver in present:
        if _works(driver, environ=environ):
            return driver
    if not present:
        raise InfrastructureError(
            f"neither docker nor podman is on PATH, and {compose.file} needs one", hint=_HINT
        )
    tried = " and ".join(f"`{one.spelt} version`" for one in present)
    raise InfrastructureError(f"{compose.file} needs a compose program, but {tried} failed", hint=_HINT)


def project_of(run_id: str, label: str) -> str:
    """A name of its own for every instance: two runs, two slots, or ``a_b`` and ``a-b``, share no container.

    Without a label it is what those of a run begin with.
    """
    wanted = f"e2e-{run_id}-{label}"
    plain = "-".join(re.findall(r"[a-z0-9]+", wanted.lower()))
    if plain == wanted or not label:
        return plain
    return f"{plain}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def up(compose: Compose, project: str, *, driver: Driver) -> tuple[str, ...]:
    """Stays in the foreground: its output is the containers' log, its end is theirs."""
    return (*_base(compose, project, driver), "up", "--no-color", *compose.services)


def stop(compose: Compose, project: str, *, driver: Driver, grace: float) -> tuple[str, ...]:
    """Those that need others first. Whatever is not gone after ``grace`` is killed, each for itself."""
    return (*_base(compose, project, driver), "stop", "--timeout", str(math.ceil(grace)))


def _base(compose: Compose, project: str, driver: Driver) -> tuple[str, ...]:
    return *driver.words, "--file", compose.file, "--project-name", project


def _works(driver: Driver, *, environ: Mapping[str, str]) -> bool:
    try:
        answer = subprocess.run(
            (*driver.words, "version"),
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0

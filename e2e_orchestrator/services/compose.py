"""Services of a compose file: what to call for them, and for their end."""

import shutil
from collections.abc import Callable, Mapping

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.service import Compose

_PROGRAMS = ("docker", "podman")


def project_of(run_id: str, label: str) -> str:
    """A name of its own for every instance: two runs, or two slots, share no container."""
    words = "".join(letter if letter.isalnum() else "-" for letter in f"e2e-{run_id}-{label}".lower())
    return "-".join(filter(None, words.split("-")))


def up(
    compose: Compose,
    project: str,
    *,
    environ: Mapping[str, str],
    which: Callable[..., str | None] = shutil.which,
) -> tuple[str, ...]:
    """Stays in the foreground: its output is the containers' log, its end is theirs.

    Raises InfrastructureError if neither docker nor podman is installed.
    """
    return (*_base(compose, project, environ, which), "up", "--no-color", *compose.services)


def down(
    compose: Compose,
    project: str,
    *,
    environ: Mapping[str, str],
    which: Callable[..., str | None] = shutil.which,
) -> tuple[str, ...]:
    """Removes containers, networks and volumes of this instance."""
    return (*_base(compose, project, environ, which), "down", "--volumes", "--remove-orphans")


def _base(
    compose: Compose, project: str, environ: Mapping[str, str], which: Callable[..., str | None]
) -> tuple[str, ...]:
    path = environ.get("PATH")
    program = next((name for name in _PROGRAMS if which(name, path=path)), None)
    if program is None:
        raise InfrastructureError(
            f"neither {' nor '.join(_PROGRAMS)} is on PATH, and {compose.file} needs one",
            hint="install one, or start the containers elsewhere and use --no-services",
        )
    return program, "compose", "--file", compose.file, "--project-name", project

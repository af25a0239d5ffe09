"""What a compose file's services leave with their engine: noted before it is made, and removed by its label.

Not every compose program removes all that it made, and none can when the file has changed or the run was killed.
The label is one that all of them put on containers, networks and volumes.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from e2e_orchestrator.model.names import CONTAINERS, file_name
from e2e_orchestrator.safety.regular import open_regular

_LABEL = "com.docker.compose.project"
_ENGINES = ("docker", "podman")
_NAME = re.compile(r"e2e-[a-z0-9-]+")
_EXITED = re.compile(r"(?P<name>\S+)\tExited \((?P<status>-?\d+)\).*")
_CALL_SECONDS = 30.0
# Containers hold networks and volumes, so they go first.
_KINDS: Sequence[tuple[Sequence[str], Sequence[str]]] = (
    (("ps", "--all"), ("rm", "--force", "--volumes")),
    (("network", "ls"), ("network", "rm")),
    (("volume", "ls"), ("volume", "rm")),
)
# Podman gives up at first on a container whose monitor was killed with the run, and knows then that it is dead.
_TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """Everything of one compose project, in the hands of ``engine``."""

    engine: str
    project: str

    def note(self, run: Path) -> None:
        """Lets :func:`noted` find it when nobody else is left who knows; ``run`` is the run's folder."""
        self._path(run).parent.mkdir(exist_ok=True)
        self._path(run).write_text(json.dumps(asdict(self)), encoding="utf-8")

    def failed(self, environ: Mapping[str, str]) -> frozenset[str]:
        """The containers that ended with anything but 0, each with how: a migration that is done is no failure."""
        said = self._call(
            *_KINDS[0][0], *self._filter, "--format", "{{.Names}}\t{{.Status}}", environ=environ
        )
        found = map(_EXITED.fullmatch, said.stdout.splitlines())
        return frozenset(
            f"container {self._short(one['name'])} ended with exit status {one['status']}"
            for one in found
            if one and one["status"] != "0"
        )

    def remove(self, run: Path, *, environ: Mapping[str, str]) -> str | None:
        """None if nothing is left, and so no note; else what the engine says about it."""
        complaint: str | None = None
        for listing, removal in _KINDS:
            for _ in range(_TRIES):
                complaint = self._remove(listing, removal, environ)
                if complaint is None:
                    break
            else:
                return complaint
        self._path(run).unlink(missing_ok=True)
        with suppress(OSError):  # Another service's note is there.
            self._path(run).parent.rmdir()
        return None

    def _path(self, run: Path) -> Path:
        return run / CONTAINERS / f"{file_name(self.project)}.json"

    def _remove(
        self, listing: Sequence[str], removal: Sequence[str], environ: Mapping[str, str]
    ) -> str | None:
        found = self._call(*listing, "--quiet", *self._filter, environ=environ)
        if found.returncode == 0 and (ids := found.stdout.split()):
            found = self._call(*removal, *ids, environ=environ)
        return None if found.returncode == 0 else " ".join(found.stderr.split()) or f"{self.engine} failed"

    def _short(self, name: str) -> str:
        """Without the project's name, which nobody gave it."""
        return name.removeprefix(self.project).lstrip("_-")

    @property
    def _filter(self) -> tuple[str, str]:
        return "--filter", f"label={_LABEL}={self.project}"

    def _call(self, *words: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        argv = (self.engine, *words)
        try:
            return subprocess.run(
                argv,
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_CALL_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess(argv, 1, stdout="", stderr=str(error))


def noted(run: Path) -> Iterator[Containers]:
    """The notes in a run's folder: what is still there, as far as anybody knows."""
    for path in sorted((run / CONTAINERS).glob("*.json")):
        if containers := _read(path):
            yield containers


def _read(path: Path) -> Containers | None:
    """None if it is nothing that we wrote: what is called with it must be an engine, and our own containers."""
    try:
        with open_regular(path) as file:
            said = json.load(file)
        containers = Containers(engine=said["engine"], project=said["project"])
        ours = containers.engine in _ENGINES and _NAME.fullmatch(containers.project)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return containers if ours else None

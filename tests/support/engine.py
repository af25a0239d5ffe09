"""A container engine of the tests' own: podman with a storage in a folder, and one small image that needs no network."""

import json
import resource
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

PROGRAMS = ("podman", "podman-compose", "busybox")
HOW_TO_GET_IT = "as root, `scripts/test --all` installs podman, podman-compose, busybox-static and runc"
IMAGE = "localhost/e2e-box:1"
_SECONDS = 60.0
# More than this a container in a container may not be allowed.
_PROCESSES = 8192
_FILES = 1024


class NoEngineError(Exception):
    """No container can run here, and why."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """``env`` makes podman-compose the one compose program of whoever is started with it."""

    env: dict[str, str]

    def call(self, *words: str, given: bytes = b"") -> str:
        """Raises CalledProcessError, with what podman said."""
        done = subprocess.run(
            ["podman", *words], env=self.env, input=given, capture_output=True, timeout=_SECONDS, check=True
        )
        return done.stdout.decode()

    def left(self) -> dict[str, list[str]]:
        """All that it has of compose projects."""
        label = ("--filter", "label=com.docker.compose.project", "--quiet")
        listings = {"containers": ("ps", "--all"), "networks": ("network", "ls"), "volumes": ("volume", "ls")}
        return {name: self.call(*words, *label).split() for name, words in listings.items()}


@contextmanager
def engine(environ: dict[str, str]) -> Iterator[Engine]:
    """Raises NoEngineError if it cannot run a container."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        raise NoEngineError(f"there is no {' and no '.join(missing)} ({HOW_TO_GET_IT})")
    # Sockets are in it, and their paths may be 100 bytes long: too few for pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="e2e-"))
    try:
        yield _that_runs(folder, environ)
    finally:
        shutil.rmtree(folder)


def _that_runs(folder: Path, environ: dict[str, str]) -> Engine:
    """Podman's own choice of what runs containers refuses some machines on which runc works."""
    made = _engine(folder, environ)
    said = []
    for runtime in ("", "runc"):
        _configure(folder, runtime=runtime)
        try:
            made.call("import", "-", IMAGE, given=_box())
            made.call("run", "--rm", IMAGE, "/bin/busybox", "true")
        except subprocess.CalledProcessError as error:
            said.append(f"{runtime or 'as it is'}: {' '.join(error.stderr.decode(errors='replace').split())}")
        except subprocess.TimeoutExpired as error:
            said.append(f"{runtime or 'as it is'}: no answer in {error.timeout:g} s")
        else:
            return made
    raise NoEngineError(f"podman cannot run a container here ({'; '.join(said)})")


def _engine(folder: Path, environ: dict[str, str]) -> Engine:
    (folder / "bin").mkdir()
    docker = folder / "bin/docker"  # Like one without its compose plugin, whatever is installed.
    docker.write_text("#!/bin/sh\necho 'docker: unknown command: docker compose' >&2\nexit 1\n")
    docker.chmod(0o755)
    storage = folder / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    _configure(folder, runtime="")
    own = {
        "PATH": f"{folder}/bin:{environ['PATH']}",
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(storage),
    }
    return Engine(env={**environ, **own})


def _configure(folder: Path, *, runtime: str) -> None:
    files = min(_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    limits = json.dumps([f"nofile={files}:{files}", f"nproc={_PROCESSES}:{_PROCESSES}"])
    chosen = f'runtime = "{runtime}"\n' if runtime else ""
    (folder / "containers.conf").write_text(
        f'[containers]\ndefault_ulimits = {limits}\n[engine]\ntmp_dir = "{folder}/tmp"\n{chosen}'
        f'[network]\nnetwork_config_dir = "{folder}/networks"\n'
    )


def _box() -> bytes:
    """A file system with nothing but busybox, which is all that a small server needs."""
    busybox = Path(str(shutil.which("busybox")))
    written = BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        tar.add(busybox.resolve(), "bin/busybox")
        link = tarfile.TarInfo("bin/sh")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        tar.addfile(link)
    return written.getvalue()

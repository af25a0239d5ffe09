"""The programs that we compare ourselves with, in an environment of their own beside this file."""

import functools
import subprocess
import sys
import venv
from pathlib import Path

_VENV = Path(__file__).parent / ".venv"
_PACKAGES = ("meson", "ninja", "tox", "nox", "pytest")


def tool(name: str) -> str:
    """The absolute path of a program; the first call installs all of them."""
    return str(_folder() / name)


def installed_versions() -> list[str]:
    """``name version`` of each that is there already."""
    found = (next(_VENV.glob(f"lib/python*/site-packages/{name}-*.dist-info"), None) for name in _PACKAGES)
    return [" ".join(path.name.removesuffix(".dist-info").rsplit("-", 1)) for path in found if path]


@functools.cache
def _folder() -> Path:
    programs = _VENV / "bin"
    if not all((programs / name).exists() for name in _PACKAGES):
        sys.stderr.write(f"installing {', '.join(_PACKAGES)} into {_VENV} …\n")
        venv.create(_VENV, with_pip=True, clear=True)
        subprocess.run(
            [programs / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", *_PACKAGES],
            check=True,
        )
    return programs

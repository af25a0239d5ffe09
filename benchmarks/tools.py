"""The programs that we compare ourselves with, in an environment of their own beside this file."""

import functools
import re
import subprocess
import sys
import venv
from pathlib import Path

_VENV = Path(__file__).parent / ".venv"
_PACKAGES = ("meson", "ninja", "tox", "nox", "pytest")
_LIBRARIES = ("pytest-xdist", "pytest-django", "Django<6", "psycopg[binary]")


def tool(name: str) -> str:
    """The absolute path of a program; the first call installs all of them."""
    return str(_folder() / name)


def installed_versions() -> list[str]:
    """``name version`` of each that is there already."""
    found = (_installed(name) for name in (*_PACKAGES, *_LIBRARIES))
    return [" ".join(path.name.removesuffix(".dist-info").rsplit("-", 1)) for path in found if path]


def _installed(package: str) -> Path | None:
    name = re.split(r"[<\[]", package)[0].lower().replace("-", "_")
    return next(_VENV.glob(f"lib/python*/site-packages/{name}-*.dist-info"), None)


@functools.cache
def _folder() -> Path:
    programs = _VENV / "bin"
    wanted = (*_PACKAGES, *_LIBRARIES)
    if not all(map(_installed, wanted)):
        sys.stderr.write(f"installing {', '.join(wanted)} into {_VENV} …\n")
        venv.create(_VENV, with_pip=True, clear=True)
        subprocess.run(
            [programs / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", *wanted],
            check=True,
        )
    return programs

"""What an attempt imported, and which of it may be imported ahead; standard library only, loaded by its path.

Only what lies in the standard library or among the installed packages may be: never the project's own.
"""

from __future__ import annotations

import json
import os
import site
import sys
import sysconfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

# Whatever reads the clock, the process or chance at import, starts threads, or watches other modules.
NEVER_AHEAD = frozenset(
    {
        *(
            "coverage",
            "pytest_cov",
            "debugpy",
            "pydevd",
            "_pydevd_bundle",
            "gevent",
            "eventlet",
            "pytest_randomly",
        ),
        *("grpc", "torch", "tensorflow", "jax", "ray", "pyspark", "cv2", "gi", "PyQt5", "PyQt6", "PySide6"),
        *("antigravity", "this", "tkinter", "turtle", "e2e_orchestrator_case_stream"),
    }
)
_CONFIGURATION = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
    ".coveragerc",
    ".coveragerc.toml",
)
# What pytest imports when it has something to show.
_PYTESTS_OWN = frozenset({"_pytest", "pytest", "pluggy", "iniconfig", "pygments", "_py", "py"})
_OUR_COVERAGE = ["-m", "coverage", "run"]
_REWRITER = "AssertionRewritingHook"


def installed_folders() -> list[str]:
    """The folders of installed packages."""
    found = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        found.append(site.getusersitepackages())
    found += [folder for folder in sys.path if os.path.basename(folder) in ("site-packages", "dist-packages")]
    return list(dict.fromkeys(map(os.path.realpath, found)))


def standard_folders() -> list[str]:
    found = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    return list(dict.fromkeys(map(os.path.realpath, filter(None, found))))


class Foreign:
    """Answers whether a module is somebody else's: the standard library's or an installed package's."""

    def __init__(self) -> None:
        self.installed, self.standard = installed_folders(), standard_folders()
        self._beginnings = tuple(f"{folder}{os.sep}" for folder in (*self.installed, *self.standard))
        self._folders: dict[str, bool] = {}

    def is_standard(self, origin: str | None) -> bool:
        """The standard library's own; its folder may have the installed packages in it."""
        if origin in ("built-in", "frozen"):
            return True
        inside = os.path.realpath(origin or "").startswith
        return inside(tuple(f"{one}{os.sep}" for one in self.standard)) and not inside(
            tuple(f"{one}{os.sep}" for one in self.installed)
        )

    def __call__(self, origin: str | None) -> bool:
        if origin in ("built-in", "frozen"):
            return True
        if origin is None:
            return False
        folder = os.path.dirname(origin)
        if folder not in self._folders:
            self._folders[folder] = f"{os.path.realpath(folder)}{os.sep}".startswith(self._beginnings)
        return self._folders[folder]


def stamps(folders: Iterable[str]) -> dict[str, int]:
    """When something was last installed, removed or written there; 0 where there is nothing."""
    found = {}
    for folder in folders:
        try:
            found[folder] = os.stat(folder).st_mtime_ns
        except OSError:
            found[folder] = 0
    return found


def measured() -> bool:
    """Whether this session is measured by the runner's own ``coverage run``, and by nothing else."""
    words = getattr(sys, "orig_argv", [])
    if words[1:4] != _OUR_COVERAGE:
        return False
    current = sys.modules["coverage"].Coverage.current()
    return current is not None and f"--data-file={current.get_option('run:data_file')}" in words


def modules(
    foreign: Foreign, collected: Collection[str], plugins: Collection[str] = ()
) -> list[tuple[str, bool]]:
    """(name, whether pytest rewrote its assertions) of what may be imported ahead, in the order of import.

    Of other packages only what was there when all was collected: what a test imports itself, it may have prepared
    the world for. ``plugins`` are packages that bring one for pytest, which imports the rest when it needs it. coverage.py is harmless as long as nobody starts it, which the attempts do themselves.
    """
    found, never = [], NEVER_AHEAD - ({"coverage"} if measured() else set())
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or getattr(spec, "name", None) != name or name.partition(".")[0] in never:
            continue
        origin = getattr(spec, "origin", None)
        package = name.partition(".")[0]
        early = (
            name in collected or package in _PYTESTS_OWN or package in plugins or foreign.is_standard(origin)
        )
        if early and foreign(origin):
            found.append((name, type(getattr(module, "__loader__", None)).__name__ == _REWRITER))
    return found


def hazards(config: Any) -> list[str]:
    """What speaks against a start from a warm server, as one sees it at the end of a session."""
    found, option = [], config.option
    if getattr(option, "numprocesses", None) or getattr(option, "dist", "no") != "no":
        found.append("pytest-xdist is active")
    if config.pluginmanager.hasplugin("_cov") or ("coverage" in sys.modules and not measured()):
        found.append("coverage is active")
    if getattr(option, "usepdb", False) or getattr(option, "trace", False) or _is_debugged():
        found.append("a debugger is active")
    found += [f"{name} is active" for name in ("gevent", "eventlet") if name in sys.modules]
    if sys.flags.dev_mode or sys.flags.inspect or sys.flags.no_site or sys.flags.isolated:
        found.append("the interpreter has flags of its own")
    return found


def _is_debugged() -> bool:
    tracer = sys.gettrace()
    kind = type(getattr(tracer, "__self__", tracer))
    return tracer is not None and kind.__module__.partition(".")[0] != "coverage"


def packages_of_plugins(config: Any) -> set[str]:
    """What else is in the distributions of the plugins that are loaded."""
    return {
        str(file).partition("/")[0].partition(".")[0]
        for _, distribution in config.pluginmanager.list_plugin_distinfo()
        for file in distribution.files or ()
        if str(file).endswith(".py")
    }


def record(path: str, config: Any, collected: Collection[str]) -> None:
    """Writes all of this to a file, at the end of a session; these modules were there when all was collected."""
    foreign = Foreign()
    own = [folder for folder in sys.path if folder and not _is_foreign_folder(folder, foreign)]
    told = {
        "modules": modules(foreign, collected, packages_of_plugins(config)),
        "roots": [os.path.abspath(folder) for folder in own],
        "stamps": stamps([*foreign.installed, sys.executable, *_configuration(config)]),
        "hazards": hazards(config),
    }
    with open(f"{path}.part", "w", encoding="utf-8") as file:
        json.dump(told, file)
    os.replace(f"{path}.part", path)


def _configuration(config: Any) -> list[str]:
    """The files that may tell pytest to be another one, whether they are there or not."""
    folders = {str(config.rootpath), os.getcwd(), str(config.invocation_params.dir)}
    found = [os.path.join(folder, name) for folder in sorted(folders) for name in _CONFIGURATION]
    named = [str(config.inipath or ""), os.environ.get("COVERAGE_RCFILE", "")]
    return [*found, *(os.path.abspath(path) for path in named if path)]


def _is_foreign_folder(folder: str, foreign: Foreign) -> bool:
    return os.path.isfile(folder) or foreign(os.path.join(folder, "module.py"))

"""Imports ahead, in a warm server, what every attempt would import; standard library only, loaded by its path.

Whatever an import does beside importing (a thread, an open file, a changed environment or signal handler, a
warning that pytest would have shown) speaks against importing that package ahead.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.metadata
import importlib.util
import os
import signal
import sys
import threading
import types
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from typing import Any

    from e2e_orchestrator.process import effects

    Foreign = Callable[[str | None], bool]
else:  # By its path, as we are loaded ourselves.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import effects

    del sys.path[0]


class Guard:
    """The first finder of all: refuses every module that is the project's own, or that is to be left out."""

    def __init__(self, foreign: Foreign, *, avoided: Collection[str]) -> None:
        self.refused: str | None = None
        self._foreign, self._avoided = foreign, avoided

    def forget(self) -> None:
        self.refused = None

    def find_spec(self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None) -> Any:
        found: ModuleSpec | None = None
        for finder in sys.meta_path:
            if finder is not self and (found := finder.find_spec(name, path, target)) is not None:
                break
        if found is None:
            return None
        portions = found.origin is None and found.submodule_search_locations is not None
        if name.partition(".")[0] in self._avoided or not (portions or self._foreign(found.origin)):
            self.refused = name
            raise ImportError(f"{name} is not imported ahead")
        return found


class State:
    """What an import must not change; two are equal if nothing of it has."""

    def __init__(self) -> None:
        self.threads = len(os.listdir("/proc/self/task"))
        self.files = len(os.listdir("/proc/self/fd"))
        self.environ = dict(dict.items(os.environ._data))  # type: ignore[attr-defined]  # noqa: SLF001 - not asked of it.
        self.folder = os.getcwd()
        self.path = list(sys.path)
        self.handlers = [signal.getsignal(number) for number in _HANDLED]
        self.streams = [id(one) for one in _streams()]
        # pytest puts others in their place, which who keeps one of these would not write to.
        self.keepers = _keepers()
        self.hooks = (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook)
        self.traced = (sys.gettrace(), sys.getprofile())

    def differences(self, before: State) -> list[str]:
        found = [word for name, word in _WORDS.items() if getattr(self, name) != getattr(before, name)]
        return [*found, _KEEPS] if self._keeps_more_than(before) else found

    def _keeps_more_than(self, before: State) -> bool:
        """What is thrown away keeps nothing, whenever it is collected."""
        if not _any_more(self.keepers, before.keepers):
            return False
        gc.collect()
        self.keepers = _keepers()
        return _any_more(self.keepers, before.keepers)


def _streams() -> tuple[Any, Any, Any]:
    return sys.stdin, sys.stdout, sys.stderr


def _keepers() -> list[int]:
    return [sys.getrefcount(one) for one in _streams()]


def _any_more(now: list[int], before: list[int]) -> bool:
    return any(one > then for one, then in zip(now, before, strict=True))


_HANDLED = [getattr(signal, f"SIG{name}") for name in ("INT", "TERM", "HUP", "CHLD", "USR1", "USR2", "ALRM")]
_KEEPS = "keeps a standard stream"
# It has a copy of the whole of ``sys``, out of reach of mocks, and prints nothing in an attempt.
_KEEPS_WITHOUT_USE = frozenset({"coverage"})
_WORDS = {
    "threads": "starts threads",
    "files": "opens files or sockets",
    "environ": "changes the environment",
    "folder": "changes the working directory",
    "path": "changes sys.path",
    "handlers": "sets signal handlers",
    "streams": "puts something else in the place of the standard streams",
    "hooks": "sets hooks of the interpreter",
    "traced": "traces",
}


class _Environment(dict[bytes, bytes]):
    """Notes who asks for which variable; ``asked`` is one that every attempt has, and the server has not."""

    def __init__(self, data: Mapping[bytes, bytes]) -> None:
        super().__init__(data)
        self.asked: str | None = None
        self.reads: dict[str, set[str]] = {}

    def forget(self) -> None:
        self.asked = None

    def __getitem__(self, name: bytes) -> bytes:
        self._note(name.decode("utf-8", "surrogateescape"))
        return super().__getitem__(name)

    def __missing__(self, name: bytes) -> bytes:
        self._miss(name)
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        found = super().__contains__(name)
        if isinstance(name, bytes):
            self._note(name.decode("utf-8", "surrogateescape"))
            if not found:
                self._miss(name)
        return found

    def __iter__(self) -> Iterator[bytes]:
        self._note("*")
        return super().__iter__()

    def _miss(self, name: bytes) -> None:
        if name.startswith((b"E2E_", b"PYTEST_")):
            self.asked = name.decode("ascii", "replace")

    def _note(self, name: str) -> None:
        self.reads.setdefault(name, set()).add(effects.on_behalf_of())


class Preloading:
    """After :meth:`run`, ``unsafe`` tells what should not have been imported, with the reason.

    ``marked`` is whose assertions pytest has been asked to rewrite by what was imported.
    """

    def __init__(self, foreign: Foreign, *, avoided: Collection[str]) -> None:
        self.unsafe: dict[str, str] = {}
        self.unseeded: list[random.Random] = []
        self.marked: set[str] = set()
        self._guard = Guard(foreign, avoided=avoided)
        self._avoided = avoided
        self._environment = _Environment(os.environ._data)  # type: ignore[attr-defined]  # noqa: SLF001
        self._folders = effects.Folders()
        self._private = effects.Private(foreign)

    @property
    def reads(self) -> Mapping[str, set[str]]:
        """Who asked for which variable while it was imported; ``*`` is all of them."""
        return self._environment.reads

    def run(self, modules: Iterable[tuple[str, bool]]) -> None:
        """Imports them, in this order; true: through pytest's own rewriting of assertions."""
        wanted = [one for one in modules if one[0].partition(".")[0] not in self._avoided]
        sys.meta_path.insert(0, self._guard)
        data, os.environ._data = os.environ._data, self._environment  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            with (
                effects.Seeds(self.unseeded),
                self._folders,
                self._private,
                _Rewriting({name for name, rewritten in wanted if rewritten}, marked=self.marked),
            ):
                self._import_all(name for name, _ in wanted)
        except Exception as error:
            self.unsafe["pytest"] = _stranger(error)
        finally:
            sys.meta_path.remove(self._guard)
            os.environ._data = data  # type: ignore[attr-defined]  # noqa: SLF001 - watched at the root.

    def _import_all(self, names: Iterable[str]) -> None:
        before = State()
        for name in names:
            if name not in sys.modules:
                before = self._import(name, before)

    def _import(self, name: str, before: State) -> State:
        why: list[str] = []
        self._guard.forget()
        self._environment.forget()
        self._folders.made = False
        with warnings.catch_warnings(record=True) as shown:
            warnings.simplefilter("always")
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name != name:
                    why.append(f"cannot be imported: {error}")
            except BaseException as error:
                why.append(f"cannot be imported: {type(error).__name__}: {error}")
        after = State()
        package = name.partition(".")[0]
        differences = after.differences(before)
        why += [one for one in differences if one != _KEEPS or package not in _KEEPS_WITHOUT_USE]
        if self._environment.asked:
            why.append(f"asks for {self._environment.asked}")
        if self._folders.made:
            why.append("makes a folder")
        why += [f"warns at import: {one.message}" for one in shown[:1]]
        if self._guard.refused:
            why = [f"imports {self._guard.refused}"]
        if why:
            self.unsafe.setdefault(package, f"{name} {', '.join(why)}")
        for found, done in self._private.found.items():
            self.unsafe.setdefault(found, f"{found} {done}")
        return after


def _stranger(error: Exception) -> str:
    """Whose import hook is another one than we know."""
    version = getattr(sys.modules.get("_pytest"), "__version__", "of this interpreter")
    return (
        f"pytest {version} cannot be imported ahead ({type(error).__name__}: {error}): warm starts are known to "
        "work with pytest 7.4 to 9; install one of them, or set `warm: off` for this runner"
    )


class _Rewriting:
    """pytest's import hook for these modules, behind the guard, which asks it.

    ``marked`` are those that packages ask to be rewritten themselves. Raises whatever a pytest raises that has
    another hook.
    """

    def __init__(self, names: Collection[str], *, marked: set[str]) -> None:
        self._names, self._marked = names, marked
        self._hook: Any = None

    def __enter__(self) -> None:
        if self._names:
            from _pytest.assertion import install_importhook  # noqa: PLC0415 - the project's, if there is one.
            from _pytest.config import get_config  # noqa: PLC0415 - the same.

            config: Any = get_config()
            if not hasattr(config, "inicfg"):  # Before pytest 9 there is none until a file has been read.
                config.inicfg, config._override_ini = {}, ()  # noqa: SLF001
            self._hook = install_importhook(config)
            sys.meta_path.remove(self._hook)
            sys.meta_path.insert(1, self._hook)
            self._hook._must_rewrite.update(self._names)  # noqa: SLF001 - mark_rewrite wants a whole session.
            self._hook._marked_for_rewrite_cache.clear()  # noqa: SLF001 - the same.

    def __exit__(self, *_: object) -> None:
        if self._hook is not None:
            sys.meta_path.remove(self._hook)
            self._marked.update(self._hook._must_rewrite - set(self._names))  # noqa: SLF001 - as above.


class _Remembered:
    """Stands for ``importlib.metadata`` where pytest and pluggy look for plugins, and nowhere else.

    What is installed in a folder is read once, here, and again by a child if the folder has changed.
    """

    def __init__(self) -> None:
        self._real = importlib.metadata.distributions
        self._found: dict[str, tuple[int | None, list[Any]]] = {
            folder: (_changed(folder), [_with_memory(one) for one in _installed_in(folder)])
            for folder in dict.fromkeys(sys.path)
        }

    @property
    def plugins(self) -> list[str]:
        """The modules of all installed plugins."""
        points = [point for _, found in self._found.values() for one in found for point in one.entry_points]
        return [point.value.partition(":")[0].strip() for point in points if point.group == "pytest11"]

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.metadata, name)

    def distributions(self, **narrowed: Any) -> Any:
        """What pytest asks for, and leaves all out that have no plugin: so do we."""
        return (one for one in self.everything(**narrowed) if not isinstance(one, _NoPlugin))

    def everything(self, **narrowed: Any) -> Any:
        """What pluggy asks for; plugins that it loads meanwhile may ask too."""
        if narrowed or sum(hasattr(one, "find_distributions") for one in sys.meta_path) != 1:
            return self._real(**narrowed)
        return (one for folder in sys.path for one in self._in(folder))

    def _in(self, folder: str) -> Iterable[Any]:
        changed, found = self._found.get(folder, (None, []))
        return found if folder in self._found and changed == _changed(folder) else _installed_in(folder)


def _installed_in(folder: str) -> Iterable[Any]:
    return importlib.metadata.Distribution.discover(path=[folder])


def _changed(folder: str) -> int | None:
    try:
        return os.stat(folder or ".").st_mtime_ns
    except OSError:
        return None


class _NoPlugin:
    """Marks what is installed and brings no plugin for pytest."""


def _with_memory(found: Any) -> Any:
    """The same distribution, with what pytest asks of it in its memory."""
    points = found.entry_points
    answers: dict[str, Any] = {"entry_points": points}
    if plugin := any(point.group == "pytest11" for point in points):
        answers |= {"files": found.files, "metadata": found.metadata, "version": found.version}
        list(map(str, found.files or ()))  # Each of them keeps its own.
    kind = type(found)
    remembering = {name: _constant(value) for name, value in answers.items()}
    found.__class__ = type(kind.__name__, (kind,) if plugin else (kind, _NoPlugin), remembering)
    return found


def _constant(value: Any) -> property:
    return property(lambda _: value)


class _Importlib(types.ModuleType):
    """``importlib``, but for its ``metadata``."""

    def __init__(self, metadata: _Remembered) -> None:
        super().__init__("importlib")
        self.metadata = metadata

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib, name)


def remember_installed() -> list[str]:
    """Spares every child two looks through all that is installed; the modules of plugins among it."""
    config, pluggy = sys.modules.get("_pytest.config"), sys.modules.get("pluggy")
    if config is None or pluggy is None or getattr(config, "importlib", None) is not importlib:
        return []
    remembered = _Remembered()
    config.importlib = _Importlib(remembered)  # type: ignore[attr-defined]
    load = pluggy.PluginManager.load_setuptools_entrypoints

    @functools.wraps(load)
    def load_quickly(*args: Any, **kwargs: Any) -> Any:
        real = importlib.metadata.distributions
        importlib.metadata.distributions = remembered.everything
        try:
            return load(*args, **kwargs)
        finally:
            importlib.metadata.distributions = real

    pluggy.PluginManager.load_setuptools_entrypoints = load_quickly
    return remembered.plugins


def freeze() -> None:
    """No child's collector touches what it shares with the others."""
    gc.collect()
    gc.freeze()

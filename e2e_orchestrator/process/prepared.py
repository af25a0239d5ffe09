"""Does once, in a warm server, what pytest does alike in every attempt before it looks at the project.

Nothing of the project, of its configuration or of the attempt takes part. A fork that asks for anything else
than was prepared, or finds that something has changed, lets pytest do it; so does a pytest that is built in
another way. Standard library only, loaded by its path.
"""

from __future__ import annotations

import abc
import contextlib
import enum
import fnmatch
import functools
import importlib.util
import inspect
import os
import pathlib
import platform
import re
import sys
import types
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

_DATA = frozenset(
    {
        *(str, int, float, bool, bytes, tuple, list, dict, set, frozenset, type(None), re.Pattern),
        *(types.ModuleType, types.BuiltinFunctionType, types.WrapperDescriptorType, property),
        *(types.MethodDescriptorType, types.ClassMethodDescriptorType),
        *(types.GetSetDescriptorType, types.MemberDescriptorType),
    }
)
_DATA_OF = frozenset({"typing", "__future__", "_pytest.stash", "pluggy._hooks"})
_EVERY_MODULE_HAS = frozenset({"__spec__", "__loader__", "__builtins__"})


class Names:
    """Stands for ``dir`` where pytest and pluggy look through plugins for hooks and fixtures.

    A session looks twice at each of some three thousand names, of which one in ten is a hook or a fixture. The
    others are left out: plain data, and functions and classes that nobody marked. Where a single value of
    a module or a class is another one than before, all of its values are looked at again.
    """

    def __init__(self, plugins: Iterable[str]) -> None:
        self._known: dict[int, _Known] = {}  # By identity: a class need not have a hash.
        for name in dict.fromkeys(plugins):
            module = sys.modules.get(name)
            if type(module) is types.ModuleType:
                self._try(module)
                own = (
                    one for one in list(vars(module).values()) if _is_class(one) and one.__module__ == name
                )
                for kind in own:
                    if any(
                        name.startswith("pytest_") for namespace in _namespaces(kind) for name in namespace
                    ):
                        self._try(kind)

    def install(self) -> None:
        for place in ("pluggy._manager", "_pytest.fixtures"):
            module = sys.modules.get(place)
            if module is not None and "dir" not in vars(module):
                vars(module)["dir"] = self
                if id(module) in self._known:
                    self._try(module)  # It has one name more now.

    def __call__(self, holder: Any) -> list[str]:
        kind = type(holder)
        one = holder if kind is types.ModuleType else kind
        known = self._known.get(id(one))
        if known is None:
            return dir(holder)
        try:
            if not known.current():
                known = self._remember(one)
            return sorted({*known.names, *([] if one is holder else getattr(holder, "__dict__", ()))})
        except Exception:
            return dir(holder)

    def _try(self, one: Any) -> None:
        with contextlib.suppress(ValueError):
            self._remember(one)

    def _remember(self, one: Any) -> _Known:
        known = self._known[id(one)] = _Known(one)
        return known


class _Known:
    """The names of a module or a class that may matter, and all of its values, which are kept alive.

    Raises ValueError for one that makes names up.
    """

    def __init__(self, one: Any) -> None:
        self._one = one
        found = _namespaces(one)
        if any("__dir__" in namespace for namespace in found):
            raise ValueError("it has a __dir__ of its own")
        self._keys = [list(namespace) for namespace in found]
        self._values = [list(namespace.values()) for namespace in found]
        everything = {name: value for namespace in reversed(found) for name, value in namespace.items()}
        self.names = [name for name, value in everything.items() if _may_matter(name, value)]

    def current(self) -> bool:
        """The very same objects under the same names; equality of others would run code of theirs."""
        found = _namespaces(self._one)
        return len(found) == len(self._keys) and all(
            list(now) == keys and list(map(id, now.values())) == list(map(id, values))
            for now, keys, values in zip(found, self._keys, self._values, strict=True)
        )


def _namespaces(one: Any) -> list[Mapping[str, Any]]:
    """Without that of ``object``, which has neither hooks nor fixtures."""
    if type(one) is types.ModuleType:
        return [vars(one)]
    return [vars(base) for base in one.__mro__ if base is not object]


def _is_class(value: Any) -> bool:
    """One that does not make attributes up; its own words are not taken for it."""
    kind = type(value)
    return kind in (type, abc.ABCMeta, enum.EnumMeta) or (
        issubclass(kind, type) and kind.__module__ == "_pytest.nodes"
    )


def _may_matter(name: str, value: Any) -> bool:
    return name.startswith("pytest_") or not (name in _EVERY_MODULE_HAS or _plain(value))


def _plain(value: Any) -> bool:
    """Certain to be neither a fixture nor a hook, nor something around one."""
    kind = type(value)
    if kind in _DATA or kind.__module__ in _DATA_OF:
        return True
    if kind is types.FunctionType:
        marks: dict[str, Any] = vars(value)
        wrapped = marks.get("__wrapped__")
        return not marks or (len(marks) == 1 and type(wrapped) is types.FunctionType and not vars(wrapped))
    return _is_class(value) and not any("__wrapped__" in vars(base) for base in value.__mro__)


class BareConfig:
    """pytest's configuration as it is before the first argument is read: its own plugins and their options.

    Raises whatever a pytest raises that has another one; ValueError if it was not as silent as it should be.
    """

    def __init__(self) -> None:
        self._home = sys.modules["_pytest.config"]
        self._real: Callable[..., Any] = self._home.get_config
        if any(f"_pytest.{name}" not in sys.modules for name in self._home.default_plugins):
            raise ValueError("it would have to import, unwatched")
        if not {"args", "plugins"} <= inspect.signature(self._real).parameters.keys() <= _UNDERSTOOD:
            raise ValueError("it takes other arguments")
        self._more = self._named()
        self._folder = os.getcwd()
        asked = _Asked(os.environ._data)  # type: ignore[attr-defined]  # noqa: SLF001
        data, os.environ._data = os.environ._data, asked  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            with warnings.catch_warnings(record=True) as shown:
                warnings.simplefilter("always")
                self._spare: list[Any] = [self._real((), None, **self._more)]
        finally:
            os.environ._data = data  # type: ignore[attr-defined]  # noqa: SLF001 - as it was.
        if shown or asked.everything:
            raise ValueError("it warns, or depends on the whole environment")
        self._environment = {name: data.get(name) for name in asked.names}
        _compile_patterns(self._spare[0])

    def install(self) -> None:
        @functools.wraps(self._real)
        def get_config(args: Any = None, plugins: Any = None, **more: Any) -> Any:
            config = self._spare.pop() if self._spare else None  # A second session has its own.
            if config is None or not self._fits(args, plugins, more):
                return self._real(args, plugins, **more)
            given = {"args": args or (), "plugins": plugins, "dir": pathlib.Path.cwd()}
            config.invocation_params = type(config).InvocationParams(**given)
            return config

        self._home.get_config = get_config  # type: ignore[attr-defined]

    def _fits(self, args: Any, plugins: Any, more: Mapping[str, Any]) -> bool:
        """Nothing of these arguments and surroundings would have made it another one."""
        environment: Mapping[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001
        return (
            type(args) is list
            and all(
                type(one) is str and "no:" not in one for one in args
            )  # Plugins that are not wanted are never registered.
            and not plugins
            and more == self._more
            and os.getcwd() == self._folder
            and all(environment.get(name) == value for name, value in self._environment.items())
        )

    def _named(self) -> dict[str, str]:
        """What ``python -m pytest`` says that it is, where pytest asks."""
        name = getattr(self._home, "_get_prog_name", None)
        if "prog" not in inspect.signature(self._real).parameters or name is None:
            return {}
        spec = importlib.util.find_spec("pytest.__main__")
        return {"prog": name([spec.origin if spec else ""])}


_UNDERSTOOD = {"args", "plugins", "prog"}


def _compile_patterns(config: Any) -> None:
    """The names that pytest looks for by default; the library keeps what it compiled.

    The configuration itself must not be asked: it would keep the defaults as the project's answers.
    """
    with contextlib.suppress(Exception):
        for name in ("norecursedirs", "python_files"):
            _, _, default = config._parser._inidict[name]  # noqa: SLF001 - asked of nobody else.
            for pattern in default:
                fnmatch.fnmatch("", pattern)


class _Asked(dict[bytes, bytes]):
    """An environment that notes what of it was asked for."""

    def __init__(self, data: Mapping[bytes, bytes]) -> None:
        super().__init__(data)
        self.names: set[bytes] = set()
        self.everything = False

    def __getitem__(self, name: bytes) -> bytes:
        self.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        if isinstance(name, bytes):
            self.names.add(name)
        return super().__contains__(name)

    def __iter__(self) -> Any:
        self.everything = True
        return super().__iter__()


def remember_versions() -> None:
    """pytest-metadata, which the report needs, starts a program in every session to learn the machine's name."""
    if "pytest_metadata" in sys.modules:
        platform.platform()
        pluggy = sys.modules["pluggy"]
        vars(pluggy).setdefault("__version__", pluggy.__version__)


def prepare(plugins: Iterable[str], *, state: Callable[[], Any]) -> None:
    """All that this pytest allows; ``plugins`` are those installed, ``state`` is what must stay as it is."""
    before = state()
    own = [name for name in sys.modules if name.startswith("_pytest.")]
    pieces: list[Names | BareConfig] = []
    for make in (BareConfig, lambda: Names([*own, *plugins])):
        with contextlib.suppress(Exception):
            pieces.append(make())
    with contextlib.suppress(Exception):
        remember_versions()
    if not state().differences(before):
        for piece in pieces:
            piece.install()

"""What an import may do beside importing that leaves no trace afterwards; standard library only, loaded by its path.

Each of these stands in the place of a function for as long as a warm server imports, and notes who calls it.
"""

from __future__ import annotations

import builtins
import genericpath
import io
import os
import pathlib
import random
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Foreign = Callable[[str | None], bool]

# pytest asks for everybody whom it imports; numpy draws again in every fork; execnet only traces with its number.
_TAKEN_CARE_OF = frozenset({"pytest", "_pytest", "pluggy", "numpy", "execnet"})


def on_behalf_of() -> str:
    """The package whose import is under way: the nearest that is none of the standard library's, if there is one."""
    names = _names_of_callers()
    return next((name for name in names if name not in sys.stdlib_module_names), names[0] if names else "os")


def _names_of_callers() -> list[str]:
    return [name for name in _callers() if name not in _PASSED_ON]


def _callers() -> Iterator[str]:
    """The packages in the stack, the nearest first, up to where the import was asked for."""
    frame = sys._getframe()  # noqa: SLF001 - who calls is the question.
    while frame.f_back is not None and frame.f_globals.get("__name__") in _OURS:
        frame = frame.f_back
    while frame.f_back is not None and frame.f_globals.get("__name__") not in _OURS:
        yield str(frame.f_globals.get("__name__")).partition(".")[0]
        frame = frame.f_back


_OURS = frozenset({__name__, "_e2e_orchestrator_preload"})  # Who notes, and who imports.
_PASSED_ON = frozenset({"os", "_collections_abc", "importlib"})
# Its processes inherit its key, so a fork may; and what it knows about its own, it renews in one.
_KNOWS_FORKS = "multiprocessing"


class Seeds:
    """Notes every ``random.Random`` that is seeded by chance, and not with a value."""

    def __init__(self, found: list[random.Random]) -> None:
        self._found = found
        self._seed = random.Random.seed

    def __enter__(self) -> None:
        seed, found = self._seed, self._found

        def noting(self: random.Random, a: Any = None, *args: Any, **kwargs: Any) -> None:
            seed(self, a, *args, **kwargs)
            if a is None and type(self).seed is noting:
                found.append(self)

        random.Random.seed = noting  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        random.Random.seed = self._seed  # type: ignore[method-assign]


class Folders:
    """Notes an import that makes a folder: all forks would share it, and the first to end might take it away."""

    def __init__(self) -> None:
        self.made = False
        self._mkdir = os.mkdir

    def __enter__(self) -> None:
        mkdir = self._mkdir

        def making(*args: Any, **kwargs: Any) -> None:
            mkdir(*args, **kwargs)
            self.made = True

        os.mkdir = making

    def __exit__(self, *_: object) -> None:
        os.mkdir = self._mkdir


class Private:
    """Notes who asks for what is another one for each process, or for a file of the project.

    What a package draws by chance, or the number of its process, all forks would share. A file of the project may
    be written by its ``conftest.py`` first, or edited. ``found`` is what each package has done.
    """

    def __init__(self, foreign: Foreign) -> None:
        self.found: dict[str, str] = {}
        # What the interpreter starts with, no server can do without.
        self._fine = (
            _TAKEN_CARE_OF | sys.stdlib_module_names | {name.partition(".")[0] for name in sys.modules}
        )
        self._foreign = foreign
        self._project = os.path.join(os.getcwd(), "")
        self._installed = tuple(os.path.join(one, "") for one in {sys.prefix, sys.base_prefix})
        self._originals: list[tuple[Any, str, Any]] = []
        self._noting: dict[int, Any] = {}

    def __enter__(self) -> None:
        self._replace("asks for its process number", (os, "getpid"))
        self._replace("draws by chance", (os, "urandom"), (random, "_urandom"))
        looks = "looks at files of the project"
        self._replace(looks, (builtins, "open"), (io, "open"), file=True)
        for name in ("exists", "isfile"):
            self._replace(looks, (os.path, name), (genericpath, name), file=True)
        self._replace(looks, (pathlib.Path, "stat"), file=True)

    def __exit__(self, *_: object) -> None:
        for place, name, original in self._originals:
            setattr(place, name, original)
        for module in list(sys.modules.values()):  # Who has taken it by its name keeps the original.
            for name, value in list(getattr(module, "__dict__", {}).items()):
                if id(value) in self._noting:
                    setattr(module, name, self._noting[id(value)])

    def _replace(self, why: str, *places: tuple[Any, str], file: bool = False) -> None:
        original = getattr(*places[0])

        def noting(*args: Any, **kwargs: Any) -> Any:
            if not file or (args and self._is_of_the_project(args[0])):
                self._note(why)
            return original(*args, **kwargs)

        self._noting[id(noting)] = original
        for place, name in places:
            self._originals.append((place, name, getattr(place, name)))
            setattr(place, name, noting)

    def _note(self, why: str) -> None:
        package = on_behalf_of()
        if package not in self._fine and _names_of_callers()[:1] != [_KNOWS_FORKS]:
            self.found.setdefault(package, why)

    def _is_of_the_project(self, file: Any) -> bool:
        try:
            path = os.path.abspath(os.fsdecode(file))
        except (TypeError, ValueError):
            return False  # A descriptor, for one.
        inside = path.startswith(self._project) and self._project != os.sep
        return inside and not path.startswith(self._installed) and not self._foreign(path)

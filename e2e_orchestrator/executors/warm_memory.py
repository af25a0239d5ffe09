"""What earlier attempts imported, remembered between runs in a file of the output folder."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from e2e_orchestrator.safety.files import write_whole

FILE = "warm-start.json"
_SCHEMA = 1
_MOST_KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """What every recorded attempt imported of others (name, whether pytest rewrote it), in this order.

    ``roots`` are the project's own folders on ``sys.path``; ``stamps`` the times of what was installed and
    of pytest's configuration; ``avoid`` the packages that must not be imported ahead, with the reason.
    """

    modules: tuple[tuple[str, bool], ...]
    roots: tuple[str, ...] = ()
    stamps: Mapping[str, int] = field(default_factory=dict)
    avoid: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Raises ValueError, TypeError or KeyError for what is no such record."""
        return cls(
            modules=tuple((str(name), bool(rewritten)) for name, rewritten in told["modules"]),
            roots=tuple(map(str, told["roots"])),
            stamps={str(path): int(stamp) for path, stamp in told["stamps"].items()},
            avoid={str(name): str(why) for name, why in told.get("avoid", {}).items()},
        )

    def common(self, other: "Imports") -> "Imports":
        """What both imported, in the same way; every folder of either."""
        theirs = set(other.modules)
        return replace(
            self,
            modules=tuple(one for one in self.modules if one in theirs),
            roots=tuple(dict.fromkeys((*self.roots, *other.roots))),
            stamps={**other.stamps, **self.stamps},
            avoid={**other.avoid, **self.avoid},
        )

    @property
    def current(self) -> bool:
        """False once something was installed or configured since."""
        return all(_stamp(path) == stamp for path, stamp in self.stamps.items())


def _stamp(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - several times for each attempt.
    except OSError:
        return 0


class Memory:
    """Known imports by a key of what is alike; a file that cannot be read or written costs a cold start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Imports] = {}
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            told = json.loads(path.read_bytes())
            if told["schema"] == _SCHEMA:
                self._known = {str(key): Imports.of(one) for key, one in told["imports"].items()}

    def recall(self, key: str) -> Imports | None:
        found = self._known.get(key)
        return found if found is not None and found.current else None

    def keep(self, key: str, imports: Imports) -> None:
        self._known.pop(key, None)
        self._known[key] = imports
        kept = dict(list(self._known.items())[-_MOST_KEPT:])
        told = {"schema": _SCHEMA, "imports": {one: asdict(known) for one, known in kept.items()}}
        with suppress(OSError):
            write_whole(self._path, json.dumps(told).encode("ascii"))


def names_in(folders: Iterable[Path]) -> set[str]:
    """The modules and packages that lie in these folders, by the names they would be imported by."""
    return {name for folder in dict.fromkeys(map(str, folders)) for name in _names(folder)}


def _names(folder: str) -> set[str]:
    """Asked for each attempt, and of every file: hence strings and no paths."""
    found = set()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name, _, ending = entry.name.partition(".")
            package = not ending and os.path.isfile(f"{folder}/{name}/__init__.py")  # noqa: PTH113
            if package or ending in ("py", "so") or ending.endswith(".so"):
                found.add(name)
    return found

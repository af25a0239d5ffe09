"""The file that remembers durations: read before a run, replaced as a whole after it, never the reason for a failure."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e_orchestrator.planning.durations import MOST_TESTS, RECENT, Durations, Key
from e2e_orchestrator.safety.files import write_whole
from e2e_orchestrator.safety.regular import open_regular

FILE = "durations.json"
SCHEMA = 1
_HEAD = f'{{"schema": {SCHEMA}, "tests": ['.encode()
_LARGEST_FILE = 32 << 20
_LONGEST = 1e6

Json = Mapping[str, Any]  # Any: a tree of plain JSON values.


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What is known, and what is wrong with the file, if anything."""

    durations: Durations = field(default_factory=Durations)
    warnings: tuple[str, ...] = ()


def recall(path: Path, *, output: Path | None = None) -> Recalled:
    """Reads the file; without one, the journals of the newest runs below ``output`` say the same.

    A file that is no such file counts as empty, with a warning.
    """
    try:
        return Recalled(durations=_read(path))
    except FileNotFoundError:
        return Recalled(durations=_from_journals(output) if output else Durations())
    except (OSError, ValueError, RecursionError) as error:
        return Recalled(warnings=(f"durations are not known: {path} cannot be read: {_why(error)}",))


def remember(path: Path, learned: Durations) -> str | None:
    """Adds to the file what a run has taught; what went wrong, if anything.

    A damaged file of ours is replaced; what somebody else wrote, or a newer version, stays as it is.
    """
    if not learned.samples:
        return None
    try:
        recalled = recall(path)
        if recalled.warnings and not _begins_as_ours(path):
            return (
                f"durations are not remembered: {path} holds something else: remove it, or name another file"
            )
        # Without a lock: of two runs that end at once, one may be forgotten. To wait for somebody would be worse.
        write_whole(path, _encoded(recalled.durations.merged(learned)))
    except OSError as error:
        return f"durations are not remembered: {path} cannot be written: {_why(error)}"
    return None


def _from_journals(output: Path) -> Durations:
    if not (output / "runs").is_dir():
        return Durations()
    # The fold of journals takes 15 ms to load, which only a run without the file has to pay.
    from e2e_orchestrator.history.learning import from_journals  # noqa: PLC0415

    return from_journals(output)


def _read(path: Path) -> Durations:
    """Raises ValueError for what is no file of durations."""
    with open_regular(path) as file:
        data = file.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise ValueError("it is larger than any file of ours")
    raw: Any = json.loads(data)
    match raw:
        case {"schema": int(schema)} if schema > SCHEMA:
            raise ValueError(f"its schema is {schema}, of a newer version")
        case {"schema": int(), "tests": list(tests)}:
            return Durations(dict(_entry(test) for test in tests[-MOST_TESTS:]))
        case _:
            raise ValueError("it is no file of durations")


def _begins_as_ours(path: Path) -> bool:
    """Also true of an empty file. Raises OSError for what is no file, or may not be read."""
    with open_regular(path) as file:
        return file.read(len(_HEAD)) in (_HEAD, b"")


def _entry(test: Any) -> tuple[Key, tuple[float, ...]]:
    match test:
        case {"id": str(name), "kind": str(kind), "target": str(target), "seconds": [*seconds]}:
            if all(_is_duration(one) for one in seconds):
                return Key(id=name, kind=kind, target=target), tuple(float(one) for one in seconds[-RECENT:])
        case _:
            pass
    raise ValueError("one of its tests is no such test")


def _is_duration(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= _LONGEST


def _encoded(known: Durations) -> bytes:
    """One line a test: a file that somebody commits has readable differences."""
    tests = [_line(key, seconds) for key, seconds in known.samples.items()]
    body = ",\n".join(tests)
    return _HEAD + f"\n{body}\n]}}\n".encode()


def _line(key: Key, seconds: tuple[float, ...]) -> str:
    entry: Json = {"id": key.id, "kind": key.kind, "target": key.target, "seconds": list(seconds)}
    return json.dumps(entry)


def _why(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)

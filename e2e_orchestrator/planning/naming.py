"""Names for tests that a phase lists by their path: the file's stem, or as much more as tells them apart."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath


def name_targets(targets: Sequence[str], *, taken: Collection[str] = ()) -> list[str]:
    """One name for each target, all different if the targets are, and none of them ``taken``.

    ``a/test_x.py`` is ``test_x``; beside ``b/test_x.py`` it is ``a/test_x``. The part of a node id that
    follows ``::`` is kept: ``a/test_x.py::test_y`` is ``test_x.test_y``.
    """
    candidates = [_candidates(target) for target in targets]
    used = Counter(name for names in candidates for name in set(names))
    return [
        next((name for name in names if used[name] == 1 and name not in taken), names[-1])
        for names in candidates
    ]


def _candidates(target: str) -> list[str]:
    """From the shortest name to the longest, which still has the suffix and is as unique as the target."""
    path, *inside = target.split("::")
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", ".", "..")] or ["root"]
    rest = "".join(f".{part}" for part in inside)
    stem = [*parts[:-1], PurePosixPath(parts[-1]).stem]
    short = ["/".join(stem[at:]) + rest for at in range(len(stem) - 1, -1, -1)]
    return [_sayable(name) for name in (*short, "/".join(parts) + rest)]


def _sayable(name: str) -> str:
    """A name that the command line can say and a terminal can show."""
    name = "".join(character if character.isprintable() and character != "," else "_" for character in name)
    return f"_{name[1:]}" if name.startswith("-") else name

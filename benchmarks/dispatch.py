"""C: what a test costs beside its own work, as 1000 calls of ``true``, two at a time.

What each contestant takes for a single test is subtracted, so that no start-up is in the figures.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ours import ours, phases
from table import Contestant, Row, Sample, command, compare
from tools import tool

SECTION = "C. Dispatch: `true`, two at a time, per test"
_WORKERS = 2


def rows(rounds: int) -> list[Row]:
    return _rows(rounds, count=1000, sizes=(100, 10_000), peers=("xargs", "make", "ninja", "meson test"))


def smoke() -> list[Row]:
    return _rows(1, count=20, sizes=(), peers=("xargs",))


def _rows(rounds: int, *, count: int, sizes: Sequence[int], peers: Sequence[str]) -> list[Row]:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        contestants = [_contestant("e2e-orchestrate", root, _ours, count=count)]
        for name in peers:
            run, note = _PEERS[name]
            if name not in ("xargs", "make") or shutil.which(name):
                contestants.append(_contestant(name, root, run, count=count, note=note))
        found = compare(SECTION, contestants, rounds=rounds)
        per_test = found[0].cpu or 0.0
        for size in sizes:  # A quarter of the rounds: ten thousand tests take half a minute.
            many = _contestant(f"e2e-orchestrate, {size} tests", root, _ours, count=size)
            (row,) = compare(SECTION, [many], rounds=max(1, rounds // 4))
            found.append(_beside(row, per_test))
    return found


def _beside(row: Row, first: float) -> Row:
    return Row(
        section=row.section,
        contestant=row.contestant,
        wall=row.wall,
        cpu=row.cpu,
        ratio=(row.cpu or 0.0) / first if first else None,
        spread=row.spread,
        note="linear if 1",
    )


def _contestant(
    name: str, root: Path, run: Callable[[Path, int], Sample], *, count: int, note: str = ""
) -> Contestant:
    def measure() -> Sample:
        many, one = run(root, count), run(root, 1)
        return Sample(wall=many.wall - one.wall, cpu=many.cpu - one.cpu)

    return Contestant(name=name, measure=measure, per=max(1, count - 1), note=note)


def _ours(root: Path, count: int) -> Sample:
    folder = _fresh(root / f"ours-{count}")
    phases(folder, [{"name": "p", "timeout": "1h", "tests": {f"t{at}": "true" for at in range(count)}}])
    return ours(folder, "run", "-q", "--workers", str(_WORKERS))


def _xargs(root: Path, count: int) -> Sample:
    return command(["sh", "-c", f"seq {count} | xargs -P{_WORKERS} -n1 true"], cwd=root)


def _make(root: Path, count: int) -> Sample:
    folder = _fresh(root / f"make-{count}")
    names = " ".join(f"t{at}" for at in range(count))
    (folder / "Makefile").write_text(f".PHONY: all {names}\nall: {names}\n{names}:\n\t@true\n")
    return command(["make", "-s", f"-j{_WORKERS}"], cwd=folder)


def _ninja(root: Path, count: int) -> Sample:
    folder = _fresh(root / f"ninja-{count}")
    targets = "".join(f"build t{at}: run\n" for at in range(count))
    (folder / "build.ninja").write_text(f"rule run\n  command = true\n{targets}")
    return command([tool("ninja"), "--quiet", f"-j{_WORKERS}"], cwd=folder)


def _meson(root: Path, count: int) -> Sample:
    folder = root / f"meson-{count}"
    if not folder.exists():
        folder.mkdir()
        tests = "".join(f"test('t{at}', program)\n" for at in range(count))
        (folder / "meson.build").write_text(f"project('p')\nprogram = find_program('true')\n{tests}")
        env = {"NINJA": tool("ninja")}
        command([tool("meson"), "setup", "build"], cwd=folder, env=env)
    env = {"NINJA": tool("ninja")}
    return command(
        [tool("meson"), "test", "-C", "build", "--quiet", "--no-rebuild", f"--num-processes={_WORKERS}"],
        cwd=folder,
        env=env,
    )


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


_PEERS: dict[str, tuple[Callable[[Path, int], Sample], str]] = {
    "xargs": (_xargs, "no record, no limits, leftovers stay"),
    "make": (_make, "the same"),
    "ninja": (_ninja, "the same"),
    "meson test": (_meson, "a log, a JUnit file, limits"),
}

"""D: how long a program takes before it does anything: its version, a list of what it would do, its first child."""

import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ours import ENVIRONMENT, PROGRAM, ROOT, newest_run, ours, phases
from table import Contestant, Row, command, compare
from tools import tool

SECTION = "D. Start-up: {}"
_TSX = ROOT / "examples" / "studio" / "tsx"
_TOX = "[tox]\nenvlist = a,b,c,d,e,f\nskipsdist = true\n[testenv]\ncommands = true\n"
_NOX = "import nox\n" + "".join(f"@nox.session\ndef s{at}(session): pass\n" for at in range(6))
_TESTS = "def test_a(): pass\ndef test_b(): pass\n"


def rows(rounds: int) -> list[Row]:
    return _rows(rounds, peers=True)


def smoke() -> list[Row]:
    return _rows(1, peers=False)


def _rows(rounds: int, *, peers: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        (root / "tox.ini").write_text(_TOX)
        (root / "noxfile.py").write_text(_NOX)
        for at in range(6):
            (root / f"test_{at}.py").write_text(_TESTS)
        found = compare(SECTION.format("version"), _versions(root, peers=peers), rounds=rounds)
        found += compare(SECTION.format("a list of what would run"), _lists(root, peers=peers), rounds=rounds)
        return [*found, _first_child(root, rounds)]


def _versions(root: Path, *, peers: bool) -> list[Contestant]:
    contestants = [_ours("e2e-orchestrate --version", root, "--version")]
    contestants.append(_ours("e2e-orchestrate --help", root, "--help"))
    if peers:
        contestants += [_peer(root, name, "--version") for name in ("pytest", "tox", "nox")]
        contestants += _playwright("--version")
    return contestants


def _lists(root: Path, *, peers: bool) -> list[Contestant]:
    config = ("--config", str(ROOT / "phases.yaml"))
    contestants = [_ours("e2e-orchestrate plan", root, "plan", *config, note="six phases, 26 tests")]
    if peers:
        contestants += [
            _peer(root, "pytest", "--collect-only", "-q", note="six files, 12 cases"),
            _peer(root, "tox", "list", note="six environments"),
            _peer(root, "nox", "--list", note="six sessions"),
            *_playwright("test", "--list"),
        ]
    return contestants


def _ours(name: str, root: Path, *arguments: str, note: str = "") -> Contestant:
    return Contestant(name=name, note=note, measure=lambda: ours(root, *arguments))


def _peer(root: Path, name: str, *arguments: str, note: str = "") -> Contestant:
    argv = [tool(name), *arguments]
    return Contestant(name=" ".join([name, *arguments]), note=note, measure=lambda: command(argv, cwd=root))


def _playwright(*arguments: str) -> Sequence[Contestant]:
    """Nothing where the example's packages are not installed."""
    cli = _TSX / "node_modules" / "@playwright" / "test" / "cli.js"
    node = shutil.which("node")
    if node is None or not cli.exists():
        return []
    argv = [node, str(cli), *arguments]
    return [Contestant(name=" ".join(["playwright", *arguments]), measure=lambda: command(argv, cwd=_TSX))]


def _first_child(root: Path, rounds: int) -> Row:
    """From our own start to that of the first test, which writes down the time."""
    phases(root, [{"name": "p", "tests": {"t": "date +%s.%N"}}])
    waits = []
    for _ in range(rounds):
        began = time.time()
        command([*PROGRAM, "run", "-q"], cwd=root, env=ENVIRONMENT)
        log = newest_run(root) / "p" / "t" / "attempt-1" / "output.log"
        waits.append(float(log.read_text()) - began)
    wall = statistics.median(waits)
    return Row(
        section=SECTION.format("the first child"),
        contestant="e2e-orchestrate run",
        wall=wall,
        spread=(max(waits) - min(waits)) / wall,
        note="from the start of the program to that of its first test",
    )

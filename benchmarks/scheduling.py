"""E: how far above the lower bound a run ends: simulated suites, and a real one of sleeping tests."""

import importlib
import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

from ours import ROOT, newest_run, ours, phases
from table import Row

SECTION = "E. Scheduling: makespan over its lower bound"
_SLOTS = 4


def rows(rounds: int) -> list[Row]:
    return [*_simulated(size=4000), _real(tests=40, longest=2.0, rounds=rounds)]


def smoke() -> list[Row]:
    return [*_simulated(size=2000), _real(tests=8, longest=0.2, rounds=1)]


def _simulated(*, size: int) -> list[Row]:
    """What the tests of the order simulate, with the real scheduler."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "planning")]
    simulated = importlib.import_module("test_ordering").simulated
    kinds = {
        "durations known exactly": (True, 0.0),
        "durations from history": (False, 0.0),
        "from history, one test in twenty unknown": (False, 0.05),
    }
    found = []
    for name, (exact, unknown) in kinds.items():
        ratios = simulated(exact=exact, unknown=unknown, size=size)
        figure = f"{statistics.mean(ratios):.3f} mean, {max(ratios):.3f} worst"
        found.append(Row(section=SECTION, contestant=f"simulation, {name}", figure=figure))
    return found


def _real(*, tests: int, longest: float, rounds: int) -> Row:
    rng = random.Random("sleepers")
    seconds = {f"t{at}": round(rng.uniform(longest / 20, longest), 2) for at in range(tests)}
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        phases(root, [{"name": "p", "timeout": "1h", "tests": {n: f"sleep {s}" for n, s in seconds.items()}}])
        _remember(root / "durations.json", seconds)
        for _ in range(rounds):
            ours(root, "run", "-q", "--workers", str(_SLOTS), "--durations", "durations.json")
            timing = json.loads((newest_run(root) / "e2e-results.json").read_text())["timing"]
            bound = max(longest, *seconds.values(), sum(seconds.values()) / _SLOTS)
            ratios.append(timing["makespan"] / bound)
    figure = f"{statistics.median(ratios):.3f} median, {max(ratios):.3f} worst"
    name = f"a real run: {tests} sleeping tests on {_SLOTS} slots"
    return Row(
        section=SECTION, contestant=name, figure=figure, note="start and end of every process included"
    )


def _remember(path: Path, seconds: dict[str, float]) -> None:
    tests = [
        {"id": f"p/{name}", "kind": "command", "target": f"sleep {one}", "seconds": [one]}
        for name, one in seconds.items()
    ]
    path.write_text(json.dumps({"schema": 1, "tests": tests}))

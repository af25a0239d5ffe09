"""The shards of the studio's gate come to the same as its whole, whatever their number.

One studio serves the shards of most numbers, since starting it costs more than most of their tests. Of two shards each
starts a studio of its own, as machines would. The browsers take most of the time: all phases are cut into the numbers
of shards that ``E2E_TEST_SHARDS`` names, else into seven, and the backend phases into all others.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.kinds import needs_playwright
from support.project import Finished, Project, processes
from support.shards import outcome
from support.studio import BACKEND_PHASES, needs_studio, studio, surroundings, without_hurry

LONGEST = 600.0  # Seconds, on a machine that has other things to do.
IN_ORDER = ("backend_flows", "frontend_flows")
PROMISED = {1, 2, 3, 4, 5, 6, 7}
OWN_STUDIOS = 2
# More than there are phases. All that is promised, 1,2,3,4,5,6,7, is some thirteen minutes of processor time.
COUNTS = [int(count) for count in os.environ.get("E2E_TEST_SHARDS", "7").split(",")]

pytestmark = pytest.mark.slow


def gate_in(folder: Path) -> Project:
    needs_studio()
    without_hurry(folder)
    return Project(folder, env=surroundings(folder))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The gate, and beside it the studio that it tests."""
    gate = gate_in(tmp_path_factory.mktemp("served"))
    with studio(gate.env, "redis", "api", "web"):
        yield gate
    assert processes(str(gate.root)) == []


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The gate, which starts the studio that it tests."""
    needs_playwright()
    gate = gate_in(tmp_path_factory.mktemp("serving"))
    yield gate
    assert processes(str(gate.root)) == []


@pytest.fixture(scope="module")
def everything(serving: Project) -> Finished:
    whole = run(serving, serving.root / "whole", "--durations", str(durations(serving.root / "whole")))
    assert len(whole.tests) == 26
    return whole


def durations(output: Path) -> Path:
    """Beside the whole's output, where it writes what its shards split by."""
    return output.parent / "durations.json"


def run(gate: Project, output: Path, *arguments: str) -> Finished:
    started = gate.start("--workers", "2", "--output", str(output), *arguments)
    finished = gate.finish(started, output=str(output), longest=LONGEST)
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    return finished


def compare(gate: Project, whole: Finished, *arguments: str, count: int) -> None:
    """The union of so many shards with the whole; without the last of them it is no union."""
    shards = []
    tests: Counter[str] = Counter()
    known = ("--durations", str(durations(whole.output)))
    for index in range(1, count + 1):  # In one folder, which remembers what their tests import.
        shard = run(gate, gate.root / "shards", "--shard", f"{index}/{count}", *known, *arguments)
        shards.append(str(shard.last_line["run_folder"]))
        tests.update([*shard.tests])
        assert all(of(shard, phase) in ([], of(whole, phase)) for phase in IN_ORDER), "torn apart"
    assert tests == Counter(dict.fromkeys(whole.tests, 1))
    output = gate.root / f"merged-{count}"
    merged = replace(gate.run("merge", *shards, "--output", str(output)), output=output)
    assert merged.exit_code == 0, merged.stderr
    assert outcome(merged) == outcome(whole)
    if count > 1:
        lost = gate.run("merge", *shards[:-1], "--output", str(gate.root / "lost"))
        assert lost.exit_code == 5
        assert f"shard {count}/{count} is missing" in lost.stderr


def of(finished: Finished, phase: str) -> list[str]:
    return [name for name in finished.tests if name.startswith(f"{phase}/")]


def test_so_many_shards_of_the_backend_phases_are_the_whole(served: Project) -> None:
    chosen = ("--no-services", "--phase", *BACKEND_PHASES)
    output = served.root / "whole"
    whole = run(served, output, "--durations", str(durations(output)), *chosen)
    assert len(whole.tests) == 19
    for count in sorted(PROMISED - {OWN_STUDIOS, *COUNTS}):
        compare(served, whole, *chosen, count=count)


@pytest.mark.browser
@pytest.mark.parametrize("count", COUNTS)
def test_so_many_shards_of_all_phases_are_the_whole(
    served: Project, everything: Finished, count: int
) -> None:
    compare(served, everything, "--no-services", count=count)


@pytest.mark.browser
def test_shards_with_studios_of_their_own_are_the_whole(serving: Project, everything: Finished) -> None:
    compare(serving, everything, count=OWN_STUDIOS)

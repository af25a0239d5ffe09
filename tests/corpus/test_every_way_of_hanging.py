"""However a run is carried out, the suites that hang come to the same, case by case.

The ways are those of ``test_every_way``. Waiting takes time and no processor, so that all runs wait side by side;
a single worker gets half of what there is for pytest at a time, or its waits would add up to most of the time.
"""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pytest
from corpus.catalogue import CONFIG, Suite, differences, suites
from corpus.running import World, chromium
from corpus.test_corpus import _run
from corpus.ways import WAYS, Way, carry_out, confirm, expected, outcome
from support.kinds import needs_playwright
from support.project import processes

pytestmark = [pytest.mark.slow, pytest.mark.browser]

EVERY = {suite.place: suite for kind in ("pytest", "playwright") for suite in suites(kind)}
HANGING = [suite for suite in EVERY.values() if suite.hangs]
# Its configuration has all that the others of Playwright ask for, and the browser.
CONFIGURED = EVERY["playwright/browser_left_by_a_hang"]
# Suites that end. A limit is many times what the one of its kind takes here and now, so that whatever hangs does so
# long before it, on slow machines, too; beside a browser's start, the others of Playwright are quick.
MEASURED = {"pytest": EVERY["pytest/same_parameters_twice"], "playwright": EVERY["playwright/page_opens"]}
TIMES = {"pytest": 12, "playwright": 8}
LEAST = {"pytest": 25.0, "playwright": 40.0}
AT_ONCE = 11  # Runs, the longest first: more of them would only hold each other up while they start.


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Suites of one kind that share a run, in their order."""

    kind: str
    way: Way
    suites: Sequence[Suite]

    @property
    def waits(self) -> int:
        """How many of them may have to wait one after the other: those of a pack, if each hangs, do."""
        packed = self.kind == "playwright" and self.way.pack == "auto"
        return math.ceil(len(self.suites) / (1 if packed else self.way.workers))


def parts(way: Way) -> list[Part]:
    made = []
    for kind, runs in (("pytest", 2 if way.workers == 1 else 1), ("playwright", 1)):
        order = [suite for suite in way.order(HANGING) if suite.kind == kind]
        size = math.ceil(len(order) / runs)
        made += [
            Part(kind=kind, way=way, suites=order[first : first + size])
            for first in range(0, len(order), size)
        ]
    return made


PARTS = {way: parts(way) for way in WAYS}


@pytest.fixture(scope="module")
def patience(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, float]:
    """Seconds, by kind."""
    needs_playwright()
    if chromium() is None:
        pytest.skip("there is no Chromium: install one, or set CHROMIUM_PATH")
    world = _run(tmp_path_factory.mktemp("measured"), MEASURED.values(), retries=0, workers=1)
    return {
        kind: max(LEAST[kind], TIMES[kind] * world.tests[suite.place]["duration"])
        for kind, suite in MEASURED.items()
    }


@pytest.fixture(scope="module")
def worlds(
    patience: Mapping[str, float], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Way, list[World]]:
    """What came of the parts of each way."""

    def wait_for(part: Part) -> World:
        return carry_out(
            tmp_path_factory.mktemp("part"),
            part.way,
            part.suites,
            patience=lambda suite: patience[suite.kind],
            config=CONFIGURED.folder / CONFIG,
        )

    longest_first = sorted(chain(*PARTS.values()), key=lambda part: -part.waits * patience[part.kind])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {part: pool.submit(wait_for, part) for part in longest_first}
    return {way: [waiting[part].result() for part in PARTS[way]] for way in WAYS}


def together(worlds: Sequence[World]) -> dict[str, Any]:
    return {place: test for world in worlds for place, test in world.tests.items()}


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_suite_is_reported_as_what_it_is(worlds: Mapping[Way, list[World]], way: Way) -> None:
    found = together(worlds[way])
    wrong = {
        suite.place: said
        for suite in HANGING
        if (said := [*differences(found[suite.place], expected(suite, way))])
    }
    assert not wrong


@pytest.mark.parametrize("way", WAYS[1:], ids=str)
def test_it_is_the_same_as_in_another_way(worlds: Mapping[Way, list[World]], way: Way) -> None:
    found, others = together(worlds[way]), together(worlds[WAYS[0]])
    assert {place: outcome(test) for place, test in found.items()} == {
        place: outcome(test) for place, test in others.items()
    }


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_it_was_carried_out_in_this_way(worlds: Mapping[Way, list[World]], way: Way) -> None:
    for part, world in zip(PARTS[way], worlds[way], strict=True):
        confirm(world, way, part.suites)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_nothing_outlives_it(worlds: Mapping[Way, list[World]], way: Way) -> None:
    assert [line for world in worlds[way] for line in processes(str(world.folder))] == []

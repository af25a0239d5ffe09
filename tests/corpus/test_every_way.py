"""However a run is carried out, the misbehaving suites come to the same, case by case.

Their suites share a folder, as the tests of a project do, so that they share servers, packs and whatever they leave
behind. Those that need a folder or a configuration of their own are run in a few ways only, by ``test_corpus``,
``test_warm_corpus`` and ``test_packed_corpus``; those that hang wait in ``test_every_way_of_hanging``.
"""

from itertools import combinations, product
from typing import Any

import pytest
from corpus.catalogue import CONFIG, differences, packable, suites
from corpus.running import World
from corpus.ways import WAYS, Way, carry_out, confirm, expected, outcome
from support.kinds import needs_playwright
from support.project import processes

pytestmark = pytest.mark.slow

PYTEST = [suite for suite in suites("pytest") if suite.alone and not suite.hangs]
PLAYWRIGHT = [suite for suite in packable() if not suite.hangs]
SUITES = [*PYTEST, *PLAYWRIGHT]
PATIENCE = 600  # Seconds; none of them hangs, and eight at a time are slow on a busy machine.


def test_the_ways_hold_every_pair_of_choices() -> None:
    every = product(("on", "off"), ("auto", "off"), (1, 2, 8), (True, False))
    pairs = {pair for way in every for pair in combinations(enumerate(way), 2)}
    assert {pair for way in WAYS for pair in combinations(enumerate(way.choices), 2)} == pairs


@pytest.fixture(scope="module", params=WAYS, ids=str)
def carried_out(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Way, World]:
    needs_playwright()
    way: Way = request.param
    folder = tmp_path_factory.mktemp("way")
    config = PLAYWRIGHT[0].folder / CONFIG
    return way, carry_out(folder, way, way.order(SUITES), patience=lambda _: PATIENCE, config=config)


def test_every_suite_is_reported_as_what_it_is(carried_out: tuple[Way, World]) -> None:
    way, world = carried_out
    wrong = {
        suite.place: found
        for suite in SUITES
        if (found := [*differences(world.tests[suite.place], expected(suite, way))])
    }
    assert not wrong


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """What the ways before said of each suite, case by case."""
    return {}


def test_it_is_the_same_as_in_every_other_way(carried_out: tuple[Way, World], told: dict[str, Any]) -> None:
    _, world = carried_out
    for suite in SUITES:
        if not suite.leaves_open:
            said = outcome(world.tests[suite.place])
            assert told.setdefault(suite.place, said) == said, suite.place


def test_it_was_carried_out_in_this_way(carried_out: tuple[Way, World]) -> None:
    way, world = carried_out
    confirm(world, way, way.order(SUITES))


def test_nothing_outlives_it(carried_out: tuple[Way, World]) -> None:
    _, world = carried_out
    assert not processes(str(world.folder))

"""The misbehaving suites are reported the same when they are forked from a server."""

from pathlib import Path

import pytest
from corpus.catalogue import Suite, differences
from corpus.test_corpus import PYTEST, World, _named, _run
from support.kinds import needs_playwright
from support.project import processes

from e2e_orchestrator.journal.reader import JournalReader
from e2e_orchestrator.model import events

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every suite of pytest, forked from the start."""
    needs_playwright()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("E2E_ORCHESTRATE_WARM", "on")
        return _run(tmp_path_factory.mktemp("forked"), PYTEST, retries=0, workers=3)


@pytest.mark.parametrize("suite", _named(PYTEST))
def test_forked_it_is_reported_as_it_is(forked: World, suite: Suite) -> None:
    assert not [*differences(forked.tests[suite.place], suite.expected(retries=0))], suite.expect["why"]


def test_they_were_forked_and_nothing_survives(forked: World) -> None:
    (journal,) = (forked.output / "runs").glob("*/journal.jsonl")
    chosen = [one.event for one in JournalReader(Path(journal)) if isinstance(one.event, events.StartChosen)]
    assert "warm" in {event.way for event in chosen}
    assert [event.why for event in chosen if event.way == "cold"] == []
    assert processes(str(forked.folder)) == []

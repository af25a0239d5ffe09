"""What the journal of an earlier run has to be before anybody relies on it."""

from pathlib import Path

import pytest
from support.journals import written
from support.stories import green

from e2e_orchestrator.cli.earlier import output_folder, read_run
from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.journal.runs import Run


def test_a_journal_is_read_with_its_state(tmp_path: Path) -> None:
    written(tmp_path, green())
    earlier = read_run(Run(folder=tmp_path))
    assert list(earlier.envelopes) == green()
    assert earlier.state.finished is not None
    assert (earlier.torn, earlier.unknown) == (False, 0)


DAMAGE = {
    "an unknown test": (b'"test":"health/api_health"', b'"test":"health/nobody"'),
    "an unknown phase": (b'"phase":"health","status"', b'"phase":"wealth","status"'),
}


@pytest.mark.parametrize(("old", "new"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_journal_is_refused_that_tells_of(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = written(tmp_path, green())
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(UsageError, match="something that its plan does not have"):
        read_run(Run(folder=tmp_path))


def test_an_empty_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").touch()
    with pytest.raises(UsageError, match="ended before its first event"):
        read_run(Run(folder=tmp_path))


def test_the_folder_that_was_asked_for_wins_over_the_file(tmp_path: Path) -> None:
    assert output_folder(Path("/asked"), config=tmp_path / "none") == Path("/asked")
    assert output_folder(None, config=tmp_path / "none") == Path.cwd() / "test-results"

"""How many runs stay: whatever the limits say, nothing that is needed goes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.journals import a_run

from e2e_orchestrator.journal.keep import Keep
from e2e_orchestrator.journal.lock import make_run_folder
from e2e_orchestrator.journal.retention import size_of, sweep
from e2e_orchestrator.model.names import CONTAINERS, DATABASES

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
UNLIMITED = Keep(runs=None, days=None, size=None)


def some_runs(output: Path, *, count: int = 5, size: int = 0) -> list[str]:
    """One a day, the newest yesterday; their ids, the oldest first."""
    made = []
    for days in range(count, 0, -1):
        day = NOW - timedelta(days=days)
        made.append(f"{day:%Y%m%d-%H%M%S}-abcdef")
        a_run(output, made[-1], started_at=day.isoformat(), size=size)
    return made


def left(output: Path) -> list[str]:
    return sorted(path.name for path in (output / "runs").iterdir())


LIMITS = {
    "no limit": (UNLIMITED, 5),
    "a number": (Keep(runs=2, days=None), 2),
    "a number that is not reached": (Keep(runs=9, days=None), 5),
    "an age": (Keep(runs=None, days=3), 3),
    "a size": (Keep(runs=None, days=None, size=250_000), 2),
    "the strictest of all": (Keep(runs=4, days=3, size=150_000), 1),
    "less than one run": (Keep(runs=None, days=None, size=1), 1),
}


@pytest.mark.parametrize(("keep", "stay"), LIMITS.values(), ids=LIMITS.keys())
def test_the_newest_runs_stay_under(tmp_path: Path, keep: Keep, stay: int) -> None:
    made = some_runs(tmp_path, size=100_000)
    gone = sweep(tmp_path, keep, now=NOW)
    assert left(tmp_path) == made[5 - stay :]
    assert sorted(run.id for run in gone) == made[: 5 - stay]


def test_the_newest_finished_run_stays_however_old_it_is(tmp_path: Path) -> None:
    made = some_runs(tmp_path, count=2)
    dead = a_run(tmp_path, "20260331-000000-abcdef", exit_code=None)
    sweep(tmp_path, Keep(runs=1, days=1, size=1), now=NOW + timedelta(days=99))
    assert left(tmp_path) == [made[-1]]
    assert not dead.exists()


def test_a_run_that_goes_on_is_not_touched(tmp_path: Path) -> None:
    lock = make_run_folder(tmp_path / "runs" / "20200101-000000-abcdef")
    made = some_runs(tmp_path, count=3)
    sweep(tmp_path, Keep(runs=1), now=NOW)
    assert left(tmp_path) == ["20200101-000000-abcdef", made[-1]]
    lock.release()


def test_what_the_newest_run_points_to_stays(tmp_path: Path) -> None:
    made = some_runs(tmp_path, count=4)
    newest = a_run(tmp_path, "20260331-000000-abcdef", carried_from=[made[1]])
    sweep(tmp_path, Keep(runs=1), now=NOW)
    assert left(tmp_path) == [made[1], newest.name]


@pytest.mark.parametrize("ledger", [DATABASES, f"{CONTAINERS}/e2e-x.json"], ids=["databases", "containers"])
def test_a_run_that_still_owns_something_elsewhere_stays(tmp_path: Path, ledger: str) -> None:
    made = some_runs(tmp_path, count=3)
    path = tmp_path / "runs" / made[0] / ledger
    path.parent.mkdir()
    path.touch()
    sweep(tmp_path, Keep(runs=1), now=NOW)
    assert left(tmp_path) == [made[0], made[-1]]


def test_a_removal_that_was_cut_short_is_completed(tmp_path: Path) -> None:
    made = some_runs(tmp_path, count=1)
    rest = tmp_path / "runs" / ".removed-20200101-000000-abcdef" / "p"
    rest.mkdir(parents=True)
    sweep(tmp_path, Keep(), now=NOW)
    assert left(tmp_path) == made


def test_no_folder_at_all_is_nothing_to_do(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none", Keep()) == []
    assert size_of(tmp_path / "none") == 0

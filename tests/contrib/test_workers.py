"""Who says how many workers there are, and whether there are any."""

import pytest

from e2e_orchestrator.contrib.packing import Part, packed
from e2e_orchestrator.contrib.workers import asked_workers, inside_a_run, opted_out


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, None, id="nobody says"),
        pytest.param({"DJANGO_TEST_WORKERS": "4"}, 4, id="the seed's variable"),
        pytest.param({"E2E_ORCHESTRATE_WORKERS": "3"}, 3, id="ours"),
        pytest.param(
            {"DJANGO_TEST_WORKERS": "4", "E2E_ORCHESTRATE_WORKERS": "3"}, 4, id="Django's own counts"
        ),
        pytest.param(
            {"DJANGO_TEST_WORKERS": "auto", "E2E_ORCHESTRATE_WORKERS": "3"}, 3, id="auto says nothing"
        ),
    ],
)
def test_the_number_of_workers(environ: dict[str, str], expected: int | None) -> None:
    assert asked_workers(environ) == expected


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5"])
def test_a_wrong_number_is_refused_with_its_variable(text: str) -> None:
    with pytest.raises(ValueError, match="DJANGO_TEST_WORKERS must be auto or a whole number"):
        asked_workers({"DJANGO_TEST_WORKERS": text})


@pytest.mark.parametrize(
    ("text", "expected"), [(None, False), ("True", False), ("1", False), ("False", True), ("0", True)]
)
def test_the_opt_in_can_be_taken_back(text: str | None, expected: bool) -> None:
    assert opted_out({} if text is None else {"DJANGO_ENABLE_CONCURRENT": text}) is expected


def test_a_worker_does_not_distribute_again() -> None:
    assert inside_a_run({"E2E_RUN_ID": "x", "E2E_EVENTS": "/tmp/events.jsonl"})
    assert not inside_a_run({"E2E_RUN_ID": "x"})


def test_packs_are_about_the_same_and_none_is_empty() -> None:
    parts = [Part(name=str(size), labels=(str(size),), size=size) for size in (1, 2, 3, 4, 5, 9)]
    assert [sum(part.size for part in pack) for pack in packed(parts, packs=3)] == [9, 8, 7]
    assert [len(pack) for pack in packed(parts[:2], packs=8)] == [1, 1]
    assert packed([], packs=4) == []

"""A result file that others wrote: taken as it is meant, or refused with its name and the place."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import stories
from support.odd_results import CASE, GOOD, ODD, TEST, Place, odd_file, with_part

from e2e_orchestrator.cli.baseline import compared_with
from e2e_orchestrator.errors import UsageError
from e2e_orchestrator.history.baseline import baseline_of_results
from e2e_orchestrator.model.baseline import Baseline
from e2e_orchestrator.model.events import decode, encode
from e2e_orchestrator.model.outcomes import Status
from e2e_orchestrator.model.summary import fold
from e2e_orchestrator.reporters.comparison import comparison_of

PLACES: list[Place] = [
    *((key,) for key in GOOD),
    ("phases", 0),
    *(("phases", 0, key) for key in ("name", "tests")),
    TEST,
    *((*TEST, key) for key in ("name", "status", "reason", "duration", "error", "cases")),
    CASE,
    *((*CASE, key) for key in ("id", "status", "message")),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read(path: Path, text: str) -> Baseline:
    path.write_text(text, encoding="utf-8")
    return baseline_of_results(path)


def test_what_is_written_as_it_should_be_is_taken(tmp_path: Path) -> None:
    found = read(tmp_path / "x.json", json.dumps(GOOD))
    assert (found.run_id, found.exit_code) == (GOOD["run_id"], 1)
    assert [(one.test, one.status, one.duration) for one in found.tests] == [
        ("p/bad", Status.FAILED, 1.5),
        ("p/good", Status.PASSED, 0.5),
    ]
    [failure] = found.failures
    assert (failure.test, failure.case, failure.title) == ("p/bad", "t.py::test_a", "assert 1 == 2")


def test_what_may_be_missing_is_not_missed(tmp_path: Path) -> None:
    results = deepcopy(dict(GOOD))
    del results["timestamp"]
    for test in results["phases"][0]["tests"]:
        del test["reason"], test["error"]
        test["duration"] = None
        for case in test["cases"]:
            del case["message"]
    found = read(tmp_path / "x.json", json.dumps(results | {"exit_code": None, "more": [None]}))
    assert (found.started_at, found.exit_code) == ("", None)
    assert [one.duration for one in found.tests] == [0.0, 0.0]


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_refused_with_file_and_place(name: str, tmp_path: Path) -> None:
    text, says = odd_file(name)
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "main.json", text)
    assert str(tmp_path / "main.json") in caught.value.message
    assert says in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[" * 200_000,
        '{"schema": NaN}',
        '{"schema": Infinity}',
        f'{{"schema": {"9" * 5000}}}',
        "\0",
    ],
    ids=["empty", "words", "deep", "not a number", "without end", "digits without end", "zeros"],
)
def test_what_is_no_json_is_refused_with_its_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"main\.json is no JSON: "):
        read(tmp_path / "main.json", text)


def taken_or_refused(path: Path, text: str, *, where: str) -> Baseline | None:
    try:
        return read(path, text)
    except UsageError as error:
        said = error.message
    assert said.startswith(str(path))
    assert where in said or "is no JSON" in said
    return None


@given(place=st.sampled_from(PLACES), value=ANYTHING)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_anywhere_is_refused_or_can_be_compared_with(
    place: Place, value: Any, tmp_path: Path
) -> None:
    """Also by who reads the journal, in which it stands afterwards."""
    path = tmp_path / "main.json"
    found = taken_or_refused(path, json.dumps(with_part(place, value)), where=str(place[0]))
    if found is None:
        return
    told = compared_with(stories.red(), found)
    again = fold(decode(encode(one)) for one in told)
    assert again.baseline == found
    assert comparison_of(again) == comparison_of(fold(told))
    before = fold(stories.red()).finished
    assert again.finished == before

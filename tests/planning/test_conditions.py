"""What a ``when:`` means."""

import pytest

from e2e_orchestrator.planning.conditions import holds, what_fails


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", False, id="a variable that is not set"),
        pytest.param("  ", False, id="blanks"),
        pytest.param("0", False, id="nought"),
        pytest.param("No", False, id="no in any case"),
        pytest.param("off", False, id="off"),
        pytest.param("FALSE", False, id="false"),
        pytest.param("1", True, id="one"),
        pytest.param("nightly", True, id="any other word"),
        pytest.param("admin == admin", True, id="equal"),
        pytest.param("admin == staff", False, id="not equal, asked for equal"),
        pytest.param(" == admin", False, id="an empty variable is not the word"),
        pytest.param(" == ", True, id="an empty variable is an empty word"),
        pytest.param("'' == ''", True, id="quotes do not count"),
        pytest.param("'admin' == admin", True, id="one of them quoted"),
        pytest.param("no != no", False, id="equal, asked for different"),
        pytest.param("yes != no", True, id="different"),
        pytest.param("a==b", True, id="an operator without blanks is part of a word"),
    ],
)
def test_a_condition_holds(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        pytest.param((None, None), None, id="none"),
        pytest.param(("yes", None, "1"), None, id="all hold"),
        pytest.param(("yes", "a == b"), "its `when` does not hold: a == b", id="the test's own"),
        pytest.param(("", "no"), "its `when` is empty", id="the phase's comes first"),
    ],
)
def test_the_first_that_fails_is_named(conditions: tuple[str | None, ...], expected: str | None) -> None:
    assert what_fails(*conditions) == expected

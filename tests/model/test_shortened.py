"""Lists of names in a sentence."""

import pytest

from e2e_orchestrator.model.shortened import shortened


@pytest.mark.parametrize(
    ("names", "most", "said"),
    [
        pytest.param([], 2, "", id="none"),
        pytest.param(["a", "b"], 2, "a, b", id="as many as are shown"),
        pytest.param(["a", "b", "c"], 2, "a, b and 1 more", id="one too many"),
        pytest.param(("a", "b", "c"), 1, "a and 2 more", id="only one is shown"),
    ],
)
def test_the_first_are_named_and_the_others_counted(names: list[str], most: int, said: str) -> None:
    assert shortened(names, most=most) == said

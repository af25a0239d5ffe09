import pytest

TRIES = []


@pytest.mark.parametrize(
    "word",
    [pytest.param(word, marks=pytest.mark.again(word)) for word in ("rerun", "retried", "better luck next time")],
)
def test_moody(word):
    TRIES.append(word)
    assert TRIES.count(word) > 1, "not before coffee"


def test_steady():
    pass

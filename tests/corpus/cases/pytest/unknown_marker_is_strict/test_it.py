import pytest


@pytest.mark.slwo
def test_good():
    pass

import pytest


@pytest.mark.parametrize('number', range(12))
def test_number(number):
    assert number != 5, 'five is not welcome'

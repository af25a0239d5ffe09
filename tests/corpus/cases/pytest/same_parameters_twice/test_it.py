import pytest


@pytest.mark.parametrize('value', ['a', 'a', 'a'], ids=['a', 'a', 'a'])
def test_value(value):
    pass

import pytest

NAMES = ['n' * 2500 + x + 'n' * 2500 for x in 'ab']


@pytest.mark.parametrize('name', NAMES, ids=NAMES)
def test_name(name):
    assert 'a' in name

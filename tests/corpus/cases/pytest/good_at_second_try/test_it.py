import os


def test_moody():
    assert os.environ['E2E_ATTEMPT'] != '1', 'not before coffee'


def test_steady():
    pass

import os


def test_steady():
    pass


def test_crashes():
    if os.environ['E2E_ATTEMPT'] == '1':
        os.abort()


def test_after():
    pass

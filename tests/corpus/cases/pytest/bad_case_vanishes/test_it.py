import os

if os.environ['E2E_ATTEMPT'] == '1':

    def test_there():
        assert False, 'seen once'


def test_always():
    pass

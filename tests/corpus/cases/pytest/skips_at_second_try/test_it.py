import os

import pytest


def test_dodges():
    if os.environ['E2E_ATTEMPT'] != '1':
        pytest.skip('not again')
    assert False, 'bad when it ran'

import os

import pytest


@pytest.mark.parametrize('number', range(8))
def test_number(number):
    os._exit(0)

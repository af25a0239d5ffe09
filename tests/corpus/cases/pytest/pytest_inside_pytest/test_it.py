import pathlib

import pytest


def test_outer():
    inner = pathlib.Path(__file__).with_name('inner_cases.py')
    assert pytest.main([str(inner), '-p', 'no:cacheprovider']) == 1


def test_after():
    pass

import os

import pytest


@pytest.fixture
def short_cut():
    yield
    os._exit(0)


def test_first():
    pass


def test_last(short_cut):
    pass

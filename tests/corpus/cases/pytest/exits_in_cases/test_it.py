import sys

import pytest


@pytest.fixture
def leaving():
    sys.exit(0)


def test_leaves():
    sys.exit(0)


def test_set_up(leaving):
    pass


def test_good():
    pass

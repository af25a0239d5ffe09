import threading

import pytest


@pytest.fixture
def never():
    threading.Event().wait()


def test_good():
    pass


def test_waits(never):
    pass


def test_after():
    pass

import threading

import pytest


@pytest.fixture
def never():
    yield
    threading.Event().wait()


def test_waits(never):
    pass

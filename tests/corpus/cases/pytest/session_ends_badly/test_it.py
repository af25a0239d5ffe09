import pytest


@pytest.fixture(scope="session", autouse=True)
def everything():
    yield
    raise RuntimeError("the lights stayed on")


def test_first():
    pass


def test_last():
    pass

import pytest


@pytest.fixture
def no_start():
    raise RuntimeError("cannot begin")


@pytest.fixture
def no_end():
    yield
    raise RuntimeError("cannot finish")


def test_set_up(no_start):
    pass


def test_tear_down(no_end):
    pass


def test_call_and_tear_down(no_end):
    raise AssertionError("bad in the middle")


def test_unknown_fixture(this_fixture_is_not_there):
    pass


def test_good():
    pass

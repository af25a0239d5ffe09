import os


def test_first():
    pass


def test_leaves():
    os._exit(0)


def test_never_reached():
    raise AssertionError

import os

os.environ.clear()


def test_alone():
    pass


def test_bad():
    assert False

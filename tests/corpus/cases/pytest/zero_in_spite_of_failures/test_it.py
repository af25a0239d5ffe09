import atexit
import os


def test_bad():
    atexit.register(os._exit, 0)
    assert False, 'hidden by an exit handler'

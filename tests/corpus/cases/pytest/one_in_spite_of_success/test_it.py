import atexit
import os


def test_good():
    atexit.register(os._exit, 1)

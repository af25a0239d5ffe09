import atexit
import threading


def test_good():
    atexit.register(threading.Event().wait)

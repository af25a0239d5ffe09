import threading


def test_bad():
    assert False, 'known before'


def test_waits():
    threading.Event().wait()

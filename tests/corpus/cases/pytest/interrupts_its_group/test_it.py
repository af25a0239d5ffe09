import os
import signal
import time


def test_good():
    pass


def test_interrupts():
    os.killpg(0, signal.SIGINT)
    time.sleep(5)


def test_after():
    pass

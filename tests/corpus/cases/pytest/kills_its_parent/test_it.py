import os
import signal
import time


def test_patricide():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(20)

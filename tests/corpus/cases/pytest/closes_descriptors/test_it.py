import os
import sys


def test_closes():
    sys.stdout = open(os.devnull, 'w')
    os.closerange(100, 2000)


def test_reuses():
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(500)]
    assert files


def test_after():
    pass

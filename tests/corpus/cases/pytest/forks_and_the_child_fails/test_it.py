import os

CHILD = []


def test_forks():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    else:
        CHILD.append(1)


def test_after():
    assert not CHILD

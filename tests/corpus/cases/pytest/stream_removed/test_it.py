import os


def test_first():
    stream = os.environ["E2E_EVENTS"]
    os.unlink(stream)


def test_second():
    pass

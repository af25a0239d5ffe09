import os


def test_first():
    stream = os.environ["E2E_EVENTS"]
    os.truncate(stream, 1 << 40)


def test_second():
    pass

import os


def test_first():
    stream = os.environ["E2E_EVENTS"]
    open(stream, 'a').write('{"event": "case_fini')


def test_second():
    pass

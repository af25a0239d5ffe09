import atexit
import os


def spoil():
    report = os.path.join(os.environ["E2E_OUTPUT_DIR"], "report.json")
    open(report, 'w').write('[1, 2, {}]')


def test_good():
    atexit.register(spoil)

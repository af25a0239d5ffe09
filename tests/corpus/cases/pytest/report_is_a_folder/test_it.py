import atexit
import os


def spoil():
    report = os.path.join(os.environ["E2E_OUTPUT_DIR"], "report.json")
    os.unlink(report), os.mkdir(report)


def test_good():
    atexit.register(spoil)

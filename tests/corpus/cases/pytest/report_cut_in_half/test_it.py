import atexit
import os


def spoil():
    report = os.path.join(os.environ["E2E_OUTPUT_DIR"], "report.json")
    os.truncate(report, os.path.getsize(report) // 2)


def test_good():
    atexit.register(spoil)

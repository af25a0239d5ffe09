import atexit
import os


def spoil():
    report = os.path.join(os.environ["E2E_OUTPUT_DIR"], "report.json")
    open(report, 'wb').write(bytes(range(256)) * 40)


def test_good():
    atexit.register(spoil)

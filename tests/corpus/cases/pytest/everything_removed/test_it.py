import os
import shutil


def test_tidy():
    shutil.rmtree(os.environ['E2E_OUTPUT_DIR'])

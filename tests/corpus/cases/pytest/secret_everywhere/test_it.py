import base64
import os
import sys
import time

import pytest

SECRET = os.environ["CORPUS_API_TOKEN"]


@pytest.mark.parametrize("value", [SECRET, "harmless"])
def test_in_the_name(value):
    assert value == "harmless"


def test_in_the_message():
    raise AssertionError(f"login failed with {SECRET}")


def test_in_halves():
    os.write(1, SECRET[:9].encode())
    time.sleep(0.05)
    os.write(1, SECRET[9:].encode() + b" and on it goes\n")
    print(base64.b64encode(SECRET.encode()).decode())
    print("x" * 20_000 + SECRET + "y" * 20_000)
    sys.stdout.flush()


def test_in_a_file():
    with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "notes.txt"), "w") as file:
        file.write(f"token={SECRET}\n")

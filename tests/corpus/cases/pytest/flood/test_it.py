import os


def test_talks():
    for _ in range(40):
        os.write(1, b'all work and no play\n' * 50_000)

import time


def test_stubborn():
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

import pytest


@pytest.fixture(scope="class")
def ground():
    raise RuntimeError("no ground")


@pytest.mark.usefixtures("ground")
class TestHouse:
    def test_door(self):
        pass

    def test_roof(self):
        pass


def test_garden():
    pass

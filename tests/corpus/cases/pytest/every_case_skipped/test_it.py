import unittest

import pytest


@pytest.mark.skip(reason="not in this weather")
def test_marked():
    raise AssertionError


def test_decides_itself():
    pytest.skip("decided late")


class Old(unittest.TestCase):
    @unittest.skip("an old habit")
    def test_old(self):
        raise AssertionError

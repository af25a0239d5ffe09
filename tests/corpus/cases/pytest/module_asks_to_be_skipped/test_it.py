import pytest

nothing = pytest.importorskip("a_package_nobody_has")


def test_never():
    raise AssertionError

import pytest


@pytest.mark.xfail(reason="we know")
def test_known():
    assert False


@pytest.mark.xfail(reason="not any more")
def test_repaired():
    pass


@pytest.mark.xfail(reason="must not pass", strict=True)
def test_strictly_repaired():
    pass


@pytest.mark.xfail(reason="would hang", run=False)
def test_not_even_tried():
    raise SystemExit


@pytest.mark.xfail(raises=ValueError)
def test_other_error():
    raise KeyError("not the one that was expected")


def test_gives_up():
    pytest.xfail("gave up half way")

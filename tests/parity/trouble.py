"""Makes some cases of any suite go wrong, always the same ones: loaded with ``-p trouble``."""

import zlib

import pytest

KINDS = 40


def kind(nodeid):
    return zlib.crc32(nodeid.encode("utf-8", "surrogatepass")) % KINDS


def pytest_collection_modifyitems(items):
    for item in items:
        match kind(item.nodeid):
            case 1:
                item.add_marker(pytest.mark.skip(reason="trouble: left out"))
            case 2:
                item.add_marker(pytest.mark.xfail(reason="trouble: perhaps"))
            case 3:
                item.add_marker(pytest.mark.xfail(reason="trouble: surely", strict=True))
            case 4:
                item.add_marker(pytest.mark.xfail(reason="trouble: not even tried", run=False))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    yield
    if kind(item.nodeid) == 5:
        raise RuntimeError("trouble: in the set-up")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    yield
    if kind(item.nodeid) in (6, 7) or (kind(item.nodeid) == 2 and len(item.name) % 2):
        raise AssertionError("trouble: in the call ::error:: ]]>")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    yield
    if kind(item.nodeid) in (7, 8):
        raise RuntimeError("trouble: in the teardown")

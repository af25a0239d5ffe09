import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    session.exitstatus = 1
    print('gate: 71 % is less than 80 %')

def pytest_runtest_logreport(report):
    if report.when == 'call' and 'second' in report.nodeid:
        raise RuntimeError('the hook slipped')

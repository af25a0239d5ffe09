def pytest_sessionfinish():
    raise RuntimeError('no happy end')

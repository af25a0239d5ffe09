import pytest


def pytest_configure(config):
    config.addinivalue_line("markers", "again(word): tried again by this plugin, which reports it with this word")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report, again = outcome.get_result(), item.get_closest_marker("again")
    if again and call.when == "call" and report.failed:
        report.outcome = again.args[0]
        item.ihook.pytest_runtest_logreport(report=report)
        other = pytest.TestReport.from_item_and_call(item, pytest.CallInfo.from_call(item.runtest, when="call"))
        report.outcome, report.longrepr = other.outcome, other.longrepr

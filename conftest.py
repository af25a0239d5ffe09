"""Lets nobody mistake a skipped test for a passed one: with E2E_TEST_REQUIRE_ALL=1 a skip fails the session."""

import os

import pytest

VARIABLE = "E2E_TEST_REQUIRE_ALL"


def pytest_configure(config: pytest.Config) -> None:
    # Taken away, so that the sessions which the tests start may skip as they like.
    if os.environ.pop(VARIABLE, "") == "1":
        config.pluginmanager.register(_RequireAll())


class _RequireAll:
    """Watches the reports rather than the tests: so it also sees those of pytest-xdist's workers."""

    def __init__(self) -> None:
        self._skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skipped.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._skipped:
            terminalreporter.section(f"skipped, and {VARIABLE} allows no skip", red=True, bold=True)
            for name in self._skipped:
                terminalreporter.write_line(name)

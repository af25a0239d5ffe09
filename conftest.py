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
        self._skipped: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped.append((report.nodeid, _why(report)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skipped.append((report.nodeid, _why(report)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._skipped:
            terminalreporter.section(f"skipped, and {VARIABLE} allows no skip", red=True, bold=True)
            for name, why in self._skipped:
                terminalreporter.write_line(f"{name}: {why}")


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The reason in one line: without it nobody knows what the machine lacks."""
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    return " ".join(said.split()).removeprefix("Skipped: ")

"""pytest's own reports and warnings of a worker, written to a file as they come and read by who started it.

Loaded with ``-p`` into the workers of ``pytest --concurrent``. The case stream says how each case ended;
pytest's summary and JUnit file also need every stage, its error and the warnings.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

_OPTION = "--concurrent-reports"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, default=None, help="Where a worker of --concurrent writes its reports.")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("concurrent_reports")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(config, path), "e2e-orchestrator-reports")


def arguments(path: Path) -> tuple[str, ...]:
    """What makes a worker write its reports to the file."""
    return ("-p", __name__, f"{_OPTION}={path}")


class _Recorder:
    """Each hook writes a line."""

    def __init__(self, config: pytest.Config, path: str) -> None:
        # Beside the case stream's plugin, which has put its folder on the path; its writer survives
        # tests that close descriptors, fork and replace functions.
        from e2e_orchestrator_stream import Stream  # type: ignore[import-not-found] # noqa: PLC0415

        self._config, self._stream = config, Stream(path)

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        self._stream.send("start", nodeid=nodeid, location=location)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        kept = {name: value for name, value in data.items() if _plain(value)}
        self._stream.send("report", nodeid=report.nodeid, report={**kept, "nodeid": report.nodeid})

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        self._stream.send("finish", nodeid=nodeid, location=location)

    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, when: str, nodeid: str
    ) -> None:
        if when != "runtest":  # Who started the worker has configured and collected, and heard it itself.
            return
        self._stream.send(
            "warning",
            nodeid=nodeid,
            text=str(warning_message.message),
            module=warning_message.category.__module__,
            category=warning_message.category.__name__,
            file=warning_message.filename,
            line=warning_message.lineno,
        )

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._stream.send("end", stopped=bool(session.shouldfail or session.shouldstop))


def _plain(value: Any) -> bool:
    """What other plugins hang on a report need not be fit for a file."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


class Told:
    """What a worker wrote, by case and in its order; ``over`` and ``stopped`` are how its session ended."""

    def __init__(self, path: Path) -> None:
        self.cases: dict[str, list[dict[str, Any]]] = {}
        self.over = self.stopped = False
        try:
            lines = path.read_bytes().splitlines()
        except OSError:
            return
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:  # Half a line: the worker died over it.
                continue
            if said["event"] == "end":
                self.over, self.stopped = True, bool(said["stopped"])
            else:
                self.cases.setdefault(said["nodeid"], []).append(said)

    def finished(self, nodeid: str) -> bool:
        return any(said["event"] == "finish" for said in self.cases.get(nodeid, ()))

    def failed(self, nodeid: str) -> bool:
        return any(said.get("report", {}).get("outcome") == "failed" for said in self.cases.get(nodeid, ()))

    def past_setup(self, nodeid: str) -> bool:
        """Whether the test itself has been told: what comes later is its teardown."""
        return any(said.get("report", {}).get("when") == "call" for said in self.cases.get(nodeid, ()))


def tell(config: pytest.Config, said: dict[str, Any]) -> None:
    """Calls the hook that the worker heard."""
    event, nodeid = said["event"], said["nodeid"]
    if event == "start":
        config.hook.pytest_runtest_logstart(nodeid=nodeid, location=tuple(said["location"]))
    elif event == "finish":
        config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=tuple(said["location"]))
    elif event == "warning":
        details = {"warning_message": _warning(said), "when": "runtest", "nodeid": nodeid, "location": None}
        config.hook.pytest_warning_recorded.call_historic(kwargs=details)
    else:
        data = said["report"]
        for name in ("location", "longrepr"):  # JSON has no tuples, and pytest asks for them.
            if isinstance(data.get(name), list):
                data[name] = tuple(data[name])
        report = config.hook.pytest_report_from_serializable(config=config, data=data)
        config.hook.pytest_runtest_logreport(report=report)


def _warning(said: dict[str, Any]) -> warnings.WarningMessage:
    known = getattr(sys.modules.get(said["module"]), said["category"], None)
    if not (isinstance(known, type) and issubclass(known, Warning)):  # Only the worker imported it.
        known = type(said["category"], (Warning,), {"__module__": said["module"]})
    return warnings.WarningMessage(said["text"], known, said["file"], said["line"])

"""``pytest --concurrent [--workers N]``: each collected file is a test of its own process.

Loaded by every pytest in whose environment the package is installed: it imports nothing but pytest before
``--concurrent`` is given.
"""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import pytest

from e2e_orchestrator.contrib.workers import asked_workers, inside_a_run

if TYPE_CHECKING:
    from e2e_orchestrator.contrib.running import Ended, Suite

_GROUP = "concurrent"
_Outcome = Literal["passed", "failed", "skipped"]
_OUTCOMES: dict[str, _Outcome] = {
    "passed": "passed",
    "flaky": "passed",
    "xpassed": "passed",
    "xfailed": "skipped",
}
# Reports that this process writes itself, from what the workers say.
_OURS_ALONE = ("--junitxml", "--junit-xml", "--workers", "--concurrent-timeout")


@pytest.hookimpl(trylast=True)  # Whoever else has an option of such a name comes first, and keeps it.
def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(_GROUP, "files side by side, by e2e-orchestrator")
    group.addoption(
        "--concurrent", action="store_true", help="Run each file in a process of its own, side by side."
    )
    _add(group.addoption, "--workers", type=int, metavar="N", help="Files at once; default: the processors.")
    _add(group.addoption, "--concurrent-timeout", type=float, metavar="SECONDS", help="Limit of one file.")


def _add(addoption: Callable[..., None], name: str, **details: Any) -> None:
    """Nothing if the name is taken: then the environment has to say it."""
    try:
        addoption(name, dest=name.strip("-").replace("-", "_"), default=None, **details)
    except ValueError:
        return


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """True if the files were run here; None leaves it to whoever else runs them."""
    config = session.config
    wanted = config.getoption("concurrent", default=False) and not inside_a_run(os.environ)
    distributed = hasattr(config, "workerinput") or config.getoption("numprocesses", default=None)
    if not wanted or distributed or config.option.collectonly or config.option.usepdb:
        return None
    if session.testsfailed and not config.option.continue_on_collection_errors:
        errors = "" if session.testsfailed == 1 else "s"
        raise session.Interrupted(f"{session.testsfailed} error{errors} during collection")
    _Loop(session).run()
    return True


class _Loop:
    """Takes pytest's loop over the items, and tells pytest what became of each."""

    def __init__(self, session: pytest.Session) -> None:
        self._session, self._config = session, session.config
        self._files: dict[str, dict[str, pytest.Item]] = {}
        for item in session.items:
            self._files.setdefault(item.nodeid.partition("::")[0], {})[item.nodeid] = item

    def run(self) -> None:
        # The engine and what it needs cost 270 ms: only who asks for it pays.
        from e2e_orchestrator.contrib.running import Wish, plan_of, processors, run_suites  # noqa: PLC0415
        from e2e_orchestrator.errors import OrchestratorError  # noqa: PLC0415
        from e2e_orchestrator.model.plan import RunnerSpec  # noqa: PLC0415

        if not self._files:
            return
        try:
            workers = (
                self._config.getoption("workers", default=None) or asked_workers(os.environ) or processors()
            )
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
        wish = Wish(
            workers=min(int(workers), len(self._files)),
            timeout=self._config.getoption("concurrent_timeout", default=None),
            stop_at_first=bool(self._session.config.getvalue("maxfail")),
        )
        runner = RunnerSpec(
            name="pytest",
            kind="pytest",
            root=str(self._config.rootpath),
            cwd=str(self._config.invocation_params.dir),
            python=sys.executable,
            json_report=False,
        )
        plan = plan_of(self._suites(), runner=runner, wish=wish)
        try:
            finished = run_suites(plan, heard=self._hear)
        except OrchestratorError as error:
            raise pytest.UsageError(str(error)) from None
        if finished.evidence and self._session.testsfailed:
            reporter = self._config.pluginmanager.get_plugin("terminalreporter")
            if reporter:
                reporter.write_line(f"\nwhat the workers printed: {finished.evidence}")

    def _suites(self) -> "list[Suite]":
        from e2e_orchestrator.contrib.running import Suite  # noqa: PLC0415 - see run.

        arguments, narrowed = self._arguments(), any("::" in word for word in self._config.args)
        suites = []
        for file, items in self._files.items():
            # What a node id chose is chosen again; what -k, -m and the like chose, they choose again.
            targets = [f"{self._config.rootpath}/{one}" for one in (items if narrowed else (file,))]
            suites.append(Suite(name=file, target=targets[0], args=(*targets[1:], *arguments)))
        return suites

    def _arguments(self) -> tuple[str, ...]:
        """The options of the command line that the workers need too."""
        words = [str(word) for word in self._config.invocation_params.args]
        for path in reversed(self._config.args):
            if path in words:  # The last one: a word before it may be the value of an option.
                del words[len(words) - 1 - words[::-1].index(path)]
        kept: list[str] = []
        skip = False
        for word in words:
            name, _, value = word.partition("=")
            if skip or word == "--concurrent":
                skip = False
            elif name in _OURS_ALONE:
                skip = not value
            else:
                kept.append(word)
        return (f"--rootdir={self._config.rootpath}", *kept)

    def _hear(self, ended: "Ended") -> None:
        """Reports of the file's items, as if they had been run here."""
        why = f"{ended.attempt.verdict.reason}: {ended.attempt.verdict.message or ''}"
        missing = dict(self._files[ended.suite])
        for case in ended.attempt.cases:
            item = missing.pop(case.id, None)
            if item is not None:
                said = why if case.status == "not_run" else case.message or ""
                self._tell(item, str(case.status), said, seconds=case.duration)
        if ended.cut_short:
            return
        for item in missing.values():
            self._tell(item, "not_run", why, seconds=0.0)
        unseen = missing or any(case.status == "not_run" for case in ended.attempt.cases)
        if ended.unexplained and not unseen:
            last = list(self._files[ended.suite].values())[-1]
            self._send(last, "teardown", "failed", why, seconds=0.0)

    def _tell(self, item: pytest.Item, status: str, message: str, *, seconds: float) -> None:
        hook = self._config.hook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        if status in ("error", "not_run"):
            self._send(item, "setup", "failed", message, seconds=seconds)
        elif status == "skipped":
            path, line, _ = item.location
            self._send(item, "setup", "skipped", (path, (line or 0) + 1, message), seconds=seconds)
        else:
            self._send(item, "setup", "passed", None, seconds=0.0)
            expected = message if status in ("xfailed", "xpassed") else None
            outcome: _Outcome = _OUTCOMES.get(status, "failed")
            said = message if outcome == "failed" else None
            self._send(item, "call", outcome, said, seconds=seconds, expected=expected)
        self._send(item, "teardown", "passed", None, seconds=0.0)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _send(  # noqa: PLR0913 - a report is what it is.
        self,
        item: pytest.Item,
        when: Literal["setup", "call", "teardown"],
        outcome: _Outcome,
        text: Any,
        *,
        seconds: float,
        expected: str | None = None,
    ) -> None:
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords=dict.fromkeys(item.keywords, 1),
            outcome=outcome,
            longrepr=text,
            when=when,
            duration=seconds,
        )
        if expected is not None:
            report.wasxfail = expected
        self._config.hook.pytest_runtest_logreport(report=report)

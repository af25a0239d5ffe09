"""``pytest --concurrent [--workers N]``: each collected file is a test of its own process.

Loaded by every pytest in whose environment the package is installed: it imports nothing but pytest before
``--concurrent`` is given.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from e2e_orchestrator.contrib.workers import asked_workers, inside_a_run

if TYPE_CHECKING:
    from e2e_orchestrator.contrib.pytest_reports import Told
    from e2e_orchestrator.contrib.running import Ended, Suite

_GROUP = "concurrent"
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
        config = session.config
        self._session, self._config = session, config
        self._files: dict[str, dict[str, pytest.Item]] = {}
        for item in session.items:
            self._files.setdefault(item.nodeid.partition("::")[0], {})[item.nodeid] = item
        # With a limit a file counts only once all before it have ended: as if they ran one after the other.
        self._in_order = bool(config.getvalue("maxfail") or config.getoption("stepwise", default=False))
        self._turns = list(self._files)
        self._waiting: dict[str, Ended] = {}

    def run(self) -> None:
        # The engine and what it needs cost 270 ms: only who asks for it pays.
        from e2e_orchestrator.contrib.running import Wish, plan_of, processors, run_suites  # noqa: PLC0415
        from e2e_orchestrator.engine.cancel import CancelToken  # noqa: PLC0415
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
        )
        runner = RunnerSpec(
            name="pytest",
            kind="pytest",
            root=str(self._config.rootpath),
            cwd=str(self._config.invocation_params.dir),
            python=sys.executable,
            json_report=False,
        )
        with tempfile.TemporaryDirectory(prefix="e2e-orchestrator-reports-") as folder:
            self._folder, self._enough = Path(folder), CancelToken()
            plan = plan_of(self._suites(), runner=runner, wish=wish)
            try:
                finished = run_suites(plan, heard=self._hear, enough=self._enough)
            except OrchestratorError as error:
                raise pytest.UsageError(str(error)) from None
            finally:
                self._tell_the_rest()
        self._end(finished.evidence)

    def _end(self, evidence: "Path | None") -> None:
        """As pytest's own loop does, with the place of what the workers printed."""
        if evidence and self._session.testsfailed:
            reporter = self._config.pluginmanager.get_plugin("terminalreporter")
            if reporter:
                reporter.write_line(f"\nwhat the workers printed: {evidence}")
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)

    def _suites(self) -> "list[Suite]":
        from e2e_orchestrator.contrib.pytest_reports import arguments  # noqa: PLC0415 - see run.
        from e2e_orchestrator.contrib.running import Suite  # noqa: PLC0415

        given, narrowed = self._arguments(), any("::" in word for word in self._config.args)
        suites = []
        for file, items in self._files.items():
            # What a node id chose is chosen again; what -k, -m and the like chose, they choose again.
            targets = [f"{self._config.rootpath}/{one}" for one in (items if narrowed else (file,))]
            written = arguments(self._written(file))
            suites.append(Suite(name=file, target=targets[0], args=(*targets[1:], *given, *written)))
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

    def _written(self, file: str) -> Path:
        return self._folder / f"{list(self._files).index(file)}.jsonl"

    def _hear(self, ended: "Ended") -> None:
        self._waiting[ended.suite] = ended
        while self._turns and not self._over:
            ready = self._turns[:1] if self._in_order else self._turns
            turn = next((file for file in ready if file in self._waiting), None)
            if turn is None:
                return
            self._turns.remove(turn)
            self._tell_file(self._waiting.pop(turn))
        if self._over:
            self._enough.request("enough failures")

    def _tell_the_rest(self) -> None:
        """What waited for its turn when the user ended it all."""
        for file in self._turns:
            if file in self._waiting and not self._over:
                self._tell_file(self._waiting[file])

    @property
    def _over(self) -> bool:
        return bool(self._session.shouldfail or self._session.shouldstop)

    def _tell_file(self, ended: "Ended") -> None:
        """The worker's reports of the file's items, and one of each item that it left behind."""
        from e2e_orchestrator.contrib.pytest_reports import Told  # noqa: PLC0415 - see run.

        told, items = Told(self._written(ended.suite)), self._files[ended.suite]
        why = f"{ended.attempt.verdict.reason}: {ended.attempt.verdict.message or ''}"
        messages = {case.id: case.message for case in ended.attempt.cases if case.status != "not_run"}
        for nodeid, item in items.items():
            if told.finished(nodeid):
                if not (ended.cut_short and told.failed(nodeid)):
                    self._repeat(told, nodeid)
            elif not (ended.cut_short or told.stopped):
                self._blame(told, item, messages.get(nodeid) or why)
            if self._over:
                return
        known = (
            told.stopped or self._session.testsfailed
        )  # Of a module that this process could not load either.
        unseen = any(not told.finished(nodeid) for nodeid in items)
        if ended.unexplained and not unseen and not (told.over and known):
            self._send(list(items.values())[-1], "teardown", why)

    def _repeat(self, told: "Told", nodeid: str) -> None:
        from e2e_orchestrator.contrib.pytest_reports import tell  # noqa: PLC0415 - see run.

        for said in told.cases.get(nodeid, ()):
            tell(self._config, said)

    def _blame(self, told: "Told", item: pytest.Item, why: str) -> None:
        """The error of an item whose worker died in it or before it."""
        hook = self._config.hook
        if told.past_setup(item.nodeid):
            self._repeat(told, item.nodeid)
            self._send(item, "teardown", why)
        else:
            hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            self._send(item, "setup", why)
            self._send(item, "teardown", None)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _send(self, item: pytest.Item, when: Literal["setup", "teardown"], why: str | None) -> None:
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords=dict.fromkeys(item.keywords, 1),
            outcome="failed" if why else "passed",
            longrepr=why,
            when=when,
        )
        self._config.hook.pytest_runtest_logreport(report=report)

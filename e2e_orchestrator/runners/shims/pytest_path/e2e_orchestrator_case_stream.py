"""The pytest plugin that writes the case stream, loaded with ``-p`` into the interpreter of the tests.

It runs in other people's test suites: standard library only, Python 3.8 and pytest 7 upwards, and
whatever goes wrong in here may cost evidence but never changes what the suite does.
"""  # noqa: INP001 - the folder is put on PYTHONPATH and must not be a package.

import faulthandler
import fcntl
import json
import os
import signal
import sys

import e2e_orchestrator_blame
import e2e_orchestrator_django
import e2e_orchestrator_neighbours
import e2e_orchestrator_stream
import pytest
from e2e_orchestrator_stream import (
    HIGH_DESCRIPTOR,
    IDS_IN_A_LINE,
    REAL,
    Stream,
    cut,
    leave_no_trace_in_python_path,
    short_id,
)

MOST_MESSAGES = 20
# Another one ("rerun", "retried" or any the user likes) is that of a try that does not count: what was bad gets another.
OUTCOMES = ("passed", "failed", "skipped")
# On a report, which xdist's workers send to their controller.
SHARED = "e2e_orchestrator_shared_failure"
FIRST_FAILURE = "e2e_orchestrator_first_failure"

leave_no_trace_in_python_path()
RECORD = os.environ.pop("E2E_RECORD_IMPORTS", None)
AGAIN = os.environ.pop("E2E_AGAIN", None)  # A fork has begun the stream, and become this process.


class Stacks:
    """On SIGUSR1 the stacks of all threads go to a file, even from a loop in C."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "stacks.txt")
        self.fd = -1

    def register(self):
        try:
            if signal.getsignal(signal.SIGUSR1) != signal.SIG_DFL:
                return False  # The suite has its own use for the signal.
            low = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self.fd = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR)
                os.close(low)
            except OSError:
                self.fd = low
            faulthandler.register(signal.SIGUSR1, file=self.fd, all_threads=True)
        except (OSError, ValueError, RuntimeError):
            return False
        return True

    def remove_if_empty(self):
        try:
            if self.fd >= 0 and not os.path.getsize(self.path):
                os.unlink(self.path)
        except OSError:
            pass


class CaseState:
    """What the stages of one case say so far."""

    def __init__(self):
        self.status = None
        self.messages = []
        self.duration = 0.0
        self.rerun = False
        self.subtests_failed = False
        self.shared = False
        self.location = (None, None)

    def add(self, report):
        self.duration += getattr(report, "duration", 0.0) or 0.0
        self.location = (getattr(report, "location", None) or (None, None))[:2]
        first = getattr(report, FIRST_FAILURE, None)
        if first is not None and not self.rerun:
            self.rerun = True
            self.messages.append(first)
        if report.outcome not in OUTCOMES:
            self.status, self.rerun, self.shared = None, True, False
            self.note(report)
        elif type(report).__name__.lower() == "subtestreport":
            if report.outcome == "failed":
                self.subtests_failed = True
                self.note(report)
        else:
            self.stage(report)

    def stage(self, report):
        expected = getattr(report, "wasxfail", None) is not None
        if report.outcome == "failed":
            self.shared = self.shared or getattr(report, SHARED, False)
            stage_status = "failed" if report.when == "call" else "error"
            self.status = "failed" if self.status == "failed" else stage_status
            self.note(report)
        elif report.outcome == "skipped":
            if self.status is None:
                self.status = "xfailed" if expected else "skipped"
                self.note(report)
        elif report.when == "call" and self.status is None:
            self.status = "xpassed" if expected else "passed"

    def note(self, report):
        if len(self.messages) < MOST_MESSAGES:
            self.messages.append(cut(text_of(report)))

    def result(self):
        if self.subtests_failed and self.status in ("passed", "skipped", "xfailed", "xpassed"):
            return "failed"
        return "flaky" if self.rerun and self.status in ("passed", "xpassed") else self.status


def text_of(report):
    """The skip's reason, the expected failure's reason or the whole failure."""
    reason = getattr(report, "wasxfail", None)
    if report.outcome == "skipped" and reason is not None:
        return str(reason)
    longrepr = report.longrepr
    if report.outcome == "skipped" and isinstance(longrepr, tuple):  # File, line and reason.
        return str(longrepr[-1])
    text = str(getattr(report, "longreprtext", "") or longrepr or "")
    context = getattr(report, "context", None)
    if type(report).__name__.lower() == "subtestreport" and context is not None:
        parts = [str(context.msg)] if getattr(context, "msg", None) is not None else []
        parts += ["%s=%s" % pair for pair in dict(getattr(context, "kwargs", {})).items()]
        text = "subtest (%s)\n%s" % (", ".join(parts), text)
    return text


class Recorder:
    """The hooks; each sends a line and returns nothing."""

    def __init__(self, stream):
        self.stream = stream
        self.cases = {}
        self.collected = set()
        self.deselected = 0

    def pytest_collectreport(self, report):
        if report.outcome != "passed":
            start_again_if_outgrown()  # It may have failed for what the fork took over.
            kind = "collection_error" if report.outcome == "failed" else "collection_skipped"
            self.stream.send(kind, id=report.nodeid, message=cut(text_of(report)))

    def pytest_deselected(self, items):
        self.deselected += len(items)

    def pytest_collection_finish(self, session):
        self.send_collected(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        self.send_collected(ids)

    def send_collected(self, nodeids):
        fresh = []
        for nodeid in map(short_id, nodeids):
            if nodeid not in self.collected:
                self.collected.add(nodeid)
                fresh.append(nodeid)
        for start in range(0, len(fresh), IDS_IN_A_LINE):
            self.stream.send("collected", ids=fresh[start : start + IDS_IN_A_LINE])

    def pytest_runtest_logstart(self, nodeid, location):
        before = self.cases.get(nodeid)
        if before is not None and not before.rerun:
            del self.cases[nodeid]
        self.stream.send("case_started", id=short_id(nodeid))

    @pytest.hookimpl(trylast=True)  # Subtests change the outcome of the case's own report first.
    def pytest_runtest_logreport(self, report):
        state = self.cases.setdefault(report.nodeid, CaseState())
        state.add(report)
        if report.when == "???":  # A worker died: no other stage will come.
            self.finish(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid, location):
        self.finish(nodeid)

    def finish(self, nodeid):
        state = self.cases.get(nodeid)
        if state is None:
            return
        if state.rerun and state.status is None:
            self.stream.send("case_retried", id=short_id(nodeid))
            return
        del self.cases[nodeid]
        file, line = state.location
        self.stream.send(
            "case_finished",
            id=short_id(nodeid),
            status=state.result() or "not_run",  # Set-up and teardown alone, as with --setup-only.
            duration=round(state.duration, 6),
            message=cut("\n\n".join(state.messages)) or None,
            shared_failure=state.shared or None,
            file=file,
            line=line + 1 if isinstance(line, int) else None,
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr):
        self.stream.send("internal_error", message=cut(str(excrepr)))

    def pytest_keyboard_interrupt(self, excinfo):
        # pytest's own Interrupted means "enough failures" or "errors during collection".
        by_itself = excinfo.typename == "Interrupted"
        text = ("%s: %s" % (excinfo.typename, excinfo.value)).rstrip(": ")
        self.stream.send("stopped" if by_itself else "interrupted", message=cut(text))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)  # Outermost: others change the exit status.
    def pytest_sessionfinish(self, session):
        outcome = yield
        # With xdist and -x the end of the very case that stopped the run may never arrive.
        for nodeid in [one for one, state in self.cases.items() if state.result() in ("failed", "error")]:
            self.finish(nodeid)
        if outcome.excinfo is None:
            status = int(session.exitstatus)
            self.stream.send("session_finished", exit_status=status, deselected=self.deselected)


STREAM = []
COLLECTED = set()


def start():
    path = os.environ.get("E2E_EVENTS")
    if not path or STREAM:
        return
    try:
        stream = Stream(path, writer=AGAIN)
    except OSError:
        return
    stacks = Stacks(os.path.dirname(stream.path))
    STREAM.append((stream, stacks))
    registered = stacks.register()
    if AGAIN is None:
        stream.send(
            "session_started",
            tool="pytest",
            version=pytest.__version__,
            pid=stream.pid,
            stacks=registered,
        )


def start_again_if_outgrown(collected=False):
    """Once the project has said what it says at import, and before anything is run or told of it."""
    watch = e2e_orchestrator_stream.WATCH
    if watch is not None and STREAM and REAL.getpid() == STREAM[0][0].pid:
        watch.start_again_if_outgrown(writer=STREAM[0][0].writer, collected=collected)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart():
    start_again_if_outgrown()


# Before any conftest, as the first line decides who writes the stream; and after all of them, loaded or not.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config):
    start()
    if e2e_orchestrator_stream.WATCH is not None:
        e2e_orchestrator_stream.WATCH.meet(early_config.pluginmanager.rewrite_hook)
    e2e_orchestrator_django.install()  # Before pytest-django imports what is to be changed.
    yield
    start_again_if_outgrown()


BLAME = e2e_orchestrator_blame.Blame()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item, nextitem):
    BLAME.teardown(item, nextitem)


class Tries:
    """Remembers how a case failed, for plugins that try again and pass on only the last report, such as flaky."""

    def __init__(self):
        self.item = self.failure = self.before = None

    def first_failure(self, item, report):
        """Of an earlier try of a case that passes now; each try begins with a set-up."""
        if report.when == "setup":
            self.before = (self.before or self.failure) if self.item is item else None
            self.item, self.failure = item, None
        elif report.when == "call" and self.item is item:
            if report.outcome == "passed":
                return self.before
            if report.outcome == "failed":
                self.failure = cut(text_of(report))
        return None


TRIES = Tries()


@pytest.hookimpl(hookwrapper=True, tryfirst=True)  # Outermost: others make a failure an expected one.
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = None if outcome.excinfo else outcome.get_result()
    if report is None:
        return
    first = TRIES.first_failure(item, report)
    if first is not None:
        setattr(report, FIRST_FAILURE, first)
    if call.excinfo is not None and call.when in e2e_orchestrator_blame.STAGES and report.outcome == "failed":
        try:
            setattr(report, SHARED, BLAME.is_shared(item, call))
        except Exception:
            setattr(report, SHARED, True)


def wanted_ids():
    """The cases that this retry is about; None if it is about all."""
    path = os.environ.get("E2E_ONLY")
    if not path:
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return set(json.load(file))
    except (OSError, ValueError, TypeError):
        return None


@pytest.hookimpl(trylast=True)  # Also in xdist's workers: each collects for itself.
def pytest_collection_modifyitems(config, items):
    start_again_if_outgrown(collected=True)
    COLLECTED.update(sys.modules if RECORD else ())
    wanted = wanted_ids()
    if wanted is None:
        return
    others = [item for item in items if short_id(item.nodeid) not in wanted]
    if others:
        items[:] = [item for item in items if short_id(item.nodeid) in wanted]
        config.hook.pytest_deselected(items=others)


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if STREAM and not hasattr(config, "workerinput"):  # An xdist worker's controller speaks for it.
        config.pluginmanager.register(Recorder(STREAM[0][0]), "e2e-orchestrator-recorder")
    if STREAM and e2e_orchestrator_neighbours.HAS_THEM:
        neighbours = e2e_orchestrator_neighbours.Neighbours(config)
        config.pluginmanager.register(neighbours, "e2e-orchestrator-neighbours")


def record_imports(config):
    """For later attempts that start warm: the program that knows how, and where it writes to."""
    program, _, target = RECORD.partition("\n")
    space = {"__name__": "e2e_orchestrator_imported"}
    with open(program, encoding="utf-8") as file:
        exec(compile(file.read(), program, "exec"), space)
    space["record"](target, config, COLLECTED or set(sys.modules))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    if RECORD and STREAM and REAL.getpid() == STREAM[0][0].pid:
        try:
            record_imports(config)
        except Exception:
            pass
    for _, stacks in STREAM:
        stacks.remove_if_empty()

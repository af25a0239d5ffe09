"""Writes the case stream of a unittest run, whatever runner and result class the project has.

Every result is made a recording one the moment it is created, by a class in front of its own: what the project
chose goes on to do what it did. The first that starts a run is the session's; tests that run tests inside
themselves are not heard. Standard library only, Python 3.8 upwards.
"""  # noqa: INP001 - the folder is put on the path and must not be a package.

import functools
import inspect
import os
import re
import time
import unittest

from e2e_orchestrator_stream import IDS_IN_A_LINE, cut, short_id

HOLDER = re.compile(r"(setUpClass|tearDownClass|setUpModule|tearDownModule) \((.+)\)$")
LOADING = "unittest.loader._FailedTest."
WORST = ("failed", "error", "xfailed", "passed", "skipped")
BAD = ("failed", "error")
UNEXPECTED = "expected to fail, and passed"


def install(stream):
    recorder = Recorder(stream)
    original = unittest.TestResult.__init__

    def __init__(result, *args, **options):
        original(result, *args, **options)
        if os.getpid() == stream.pid and not isinstance(result, Recording):
            try:
                result.__class__ = recording(type(result), recorder)
            except TypeError:  # A class with a layout of its own: then nothing is proven, and the suite runs.
                pass

    unittest.TestResult.__init__ = __init__
    run = unittest.TextTestRunner.run

    def run_suite(runner, test):
        recorder.collect(test)
        return run(runner, test)

    unittest.TextTestRunner.run = run_suite
    return recorder


class Recording:
    """In front of a result's own class; each method tells, then does what the class does."""

    recorder = None

    def startTestRun(self):
        self.recorder.adopt(self)
        super().startTestRun()

    def stopTestRun(self):
        super().stopTestRun()
        self.recorder.let_go(self)

    def startTest(self, test):
        self.recorder.started(self, test)
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        self.recorder.stopped(self, test)

    def addSuccess(self, test):
        self.recorder.note(self, test, "passed")
        super().addSuccess(test)

    def addError(self, test, err):
        self.recorder.note(self, test, "error", err)
        with self.recorder.failing():
            super().addError(test, err)

    def addFailure(self, test, err):
        self.recorder.note(self, test, "failed", err)
        with self.recorder.failing():
            super().addFailure(test, err)

    def addSkip(self, test, reason):
        self.recorder.note(self, test, "skipped", text=str(reason))
        super().addSkip(test, reason)

    def addExpectedFailure(self, test, err):
        self.recorder.note(self, test, "xfailed", err)
        super().addExpectedFailure(test, err)

    def addUnexpectedSuccess(self, test):
        self.recorder.note(self, test, "failed", text=UNEXPECTED)
        with self.recorder.failing():
            super().addUnexpectedSuccess(test)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            kind = "failed" if issubclass(err[0], test.failureException) else "error"
            self.recorder.note(self, test, kind, err, text=str(subtest))
        with self.recorder.failing():
            super().addSubTest(test, subtest, err)

    def stop(self):
        if self is self.recorder.session and not self.recorder.adding:
            self.recorder.stream.send(
                "interrupted", message="stopped before its last test, by a signal or itself"
            )
        super().stop()


KINDS = {}


def recording(kind, recorder):
    if kind not in KINDS:
        names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "recorder": recorder}
        KINDS[kind] = type(kind.__name__, (Recording, kind), names)
    return KINDS[kind]


def flatten(suite):
    try:
        tests = iter(suite)
    except TypeError:
        yield suite
        return
    for one in tests:
        yield from flatten(one)


class State:
    def __init__(self):
        self.statuses, self.messages, self.began = set(), [], time.time()

    def result(self):
        return next((one for one in WORST if one in self.statuses), "not_run")


def quietly(method):
    """Whatever is wrong in here, the suite goes on."""

    @functools.wraps(method)
    def attempt(*args, **options):
        try:
            return method(*args, **options)
        except Exception:
            return None

    return attempt


class Recorder:
    """Sends a line for what happens in the session's own result."""

    def __init__(self, stream):
        self.stream = stream
        self.session = None
        self.adding = 0
        self.running = {}
        self.collected = {}
        self.ended = []

    def failing(self):
        return Adding(self)

    @quietly
    def collect(self, suite):
        if self.session is not None:
            return
        fresh = {}
        for test in flatten(suite):
            identity = test.id()
            if not identity.startswith(LOADING) and identity not in self.collected:
                fresh[identity] = None
        self.collected.update(fresh)
        ids = [short_id(one) for one in fresh]
        for start in range(0, len(ids), IDS_IN_A_LINE):
            self.stream.send("collected", ids=ids[start : start + IDS_IN_A_LINE])

    @quietly
    def adopt(self, result):
        if self.session is None:
            self.session = result

    @quietly
    def let_go(self, result):
        if self.session is result and not self.running:
            self.session = None

    @quietly
    def started(self, result, test):
        self.adopt(result)
        identity = test.id()
        if result is self.session and not identity.startswith(LOADING):
            self.running[identity] = State()
            self.stream.send("case_started", id=short_id(identity))

    @quietly
    def note(self, result, test, status, err=None, text=None):
        self.adopt(result)
        if result is not self.session:
            return
        test = getattr(test, "test_case", test)  # Of a subtest.
        message = "\n".join(filter(None, [text, shown(result, test, err)]))
        identity = test.id()
        if identity.startswith(LOADING):
            name = identity[len(LOADING) :]
            self.stream.send("collection_error", id=short_id(name), message=cut(message))
        elif identity in self.running:
            state = self.running[identity]
            state.statuses.add(status)
            if message:
                state.messages.append(cut(message))
        else:
            self.around(identity, status, message)

    def around(self, identity, status, message):
        """Of a class or a module: its set-up hits all of its cases, its teardown the last one."""
        found = HOLDER.match(identity)
        of, stage = (found[2], found[1]) if found else (identity, "")
        inside = [one for one in self.collected if one.startswith(of + ".")]
        if stage.startswith("tearDown"):
            hit = [one for one in self.ended if one in inside][-1:]
        else:
            hit = [one for one in inside if one not in self.ended]
        for one in hit or [identity]:
            self.stream.send("case_started", id=short_id(one))
            self.finish(one, status, cut("%s\n%s" % (identity, message)), shared_failure=status in BAD)

    @quietly
    def stopped(self, result, test):
        state = self.running.pop(test.id(), None) if result is self.session else None
        if state is not None:
            message = cut("\n\n".join(state.messages[:20])) or None
            seconds = time.time() - state.began
            self.finish(test.id(), state.result(), message, test, duration=round(seconds, 6))

    def finish(self, identity, status, message, test=None, **more):
        file, line = place_of(test)
        self.ended.append(identity)
        self.stream.send(
            "case_finished",
            id=short_id(identity),
            status=status,
            message=message,
            file=file,
            line=line,
            **more,
        )


class Adding:
    """While a failure is added, ``stop`` is what --failfast does, and no interruption."""

    def __init__(self, recorder):
        self.recorder = recorder

    def __enter__(self):
        self.recorder.adding += 1

    def __exit__(self, *_):
        self.recorder.adding -= 1


def shown(result, test, err):
    if err is None:
        return None
    try:
        return result._exc_info_to_string(err, test)
    except Exception:
        return "%s: %s" % (getattr(err[0], "__name__", err[0]), err[1])


def place_of(test):
    try:
        code = inspect.unwrap(getattr(type(test), test._testMethodName)).__code__
        return os.path.relpath(code.co_filename), code.co_firstlineno
    except Exception:
        return None, None

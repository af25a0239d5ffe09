"""The injected pytest plugin inside suites that do what suites do."""

import json
import os
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from support.execute import Bench

from e2e_orchestrator.model.command import Completed, Judged
from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.parsers.case_stream import ProblemKind, read_stream
from e2e_orchestrator.runners.pytest import PLUGIN, PLUGIN_FOLDER, PytestRunner

PASSED, FAILED, ERROR, NOT_RUN = CaseStatus.PASSED, CaseStatus.FAILED, CaseStatus.ERROR, CaseStatus.NOT_RUN


class Suite:
    """One file of tests, its configuration, and what comes of running it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "suite"
        self.folder.mkdir()
        self.write("pytest.ini", "[pytest]\n")
        # Other interpreters than this one: E2E_TEST_PYTHON=/path/to/python.
        self.bench = Bench(
            factory=PytestRunner,
            kind="pytest",
            root=self.folder,
            output=folder / "out",
            python=os.environ.get("E2E_TEST_PYTHON", sys.executable),
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(dedent(text), encoding="utf-8")

    def run(
        self, text: str, *args: str, env: dict[str, str] | None = None, limit: float | None = None
    ) -> tuple[Judged, Completed]:
        self.write("test_suite.py", text)
        # Not loading what this environment has installed makes each run three times as fast.
        bare = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if env is None and "-n2" not in args else {}
        test = self.bench.test("test_suite.py", args=args, env={**bare, **(env or {})})
        judged, completed, _ = self.bench.attempt(test, limit=limit)
        return judged, completed


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def statuses(judged: Judged) -> dict[str, CaseStatus]:
    return {case.id.partition("::")[2]: case.status for case in judged.cases}


STAGES = """
    import pytest, unittest

    def test_good(): pass
    def test_bad(): assert 1 == 2
    @pytest.mark.skip(reason="not today")
    def test_skipped(): pass
    @pytest.mark.xfail(reason="known")
    def test_xfailed(): assert False
    @pytest.mark.xfail(reason="gone")
    def test_xpassed(): pass
    @pytest.mark.xfail(strict=True, reason="gone")
    def test_strict(): pass

    @pytest.fixture
    def broken(): raise RuntimeError("no database")
    def test_setup(broken): pass

    @pytest.fixture
    def broken_after():
        yield
        raise RuntimeError("cannot clean")
    def test_teardown(broken_after): pass
    def test_both(broken_after): assert False, "the call"

    class TestUnit(unittest.TestCase):
        def test_subtests(self):
            for number in range(3):
                with self.subTest(number=number):
                    self.assertNotEqual(number, 1)
        @unittest.expectedFailure
        def test_known(self): self.fail()
        @unittest.expectedFailure
        def test_bug_gone(self): pass
"""
EXPECTED = {
    "test_good": PASSED,
    "test_bad": FAILED,
    "test_skipped": CaseStatus.SKIPPED,
    "test_xfailed": CaseStatus.XFAILED,
    "test_xpassed": CaseStatus.XPASSED,
    "test_strict": FAILED,
    "test_setup": ERROR,
    "test_teardown": ERROR,
    "test_both": FAILED,
    "TestUnit::test_subtests": FAILED,
    "TestUnit::test_known": CaseStatus.XFAILED,
    "TestUnit::test_bug_gone": FAILED,
}


@pytest.mark.parametrize(
    "args", [(), ("-q",), ("-v",), ("-n2",)], ids=["plain", "quiet", "verbose", "with xdist"]
)
def test_every_outcome_of_pytest_has_its_status(suite: Suite, args: tuple[str, ...]) -> None:
    judged, _ = suite.run(STAGES, *args)
    assert statuses(judged) == EXPECTED
    assert judged.verdict.reason is Reason.TEST_FAILURES
    messages = {case.id.partition("::")[2]: case.message or "" for case in judged.cases}
    assert messages["test_skipped"].endswith("not today")
    assert "no database" in messages["test_setup"]
    assert "the call" in messages["test_both"]
    assert "cannot clean" in messages["test_both"]
    assert all(case.line for case in judged.cases)


AGAIN = """
    import pytest

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(item, call):
        outcome = yield
        report = outcome.get_result()
        if call.when == "call":
            report.outcome = "retried"
            item.ihook.pytest_runtest_logreport(report=report)
            report.outcome = "failed"
"""


def test_what_a_plugin_tried_again_in_vain_has_failed_with_what_it_said_first(suite: Suite) -> None:
    suite.write("conftest.py", AGAIN)
    judged, _ = suite.run("def test_bad(): assert 0, 'no coffee'\n")
    assert statuses(judged) == {"test_bad": FAILED}
    assert judged.verdict.reason is Reason.TEST_FAILURES
    assert "no coffee" in (judged.cases[0].message or "")


WHOSE = """
    import pytest, unittest

    @pytest.fixture
    def own_setup(): raise RuntimeError
    @pytest.fixture
    def own_teardown():
        yield
        raise RuntimeError
    @pytest.fixture
    def own_teardown_too(own_teardown):
        yield
        raise RuntimeError
    @pytest.fixture(scope="module")
    def broken(): raise RuntimeError
    @pytest.fixture
    def on_broken_ground(broken): pass
    @pytest.fixture(scope="module", params=[1, 2])
    def changing(request):
        yield
        assert request.param == 2

    def test_call(): assert False
    def test_own_setup(own_setup): pass
    def test_own_teardown(own_teardown): pass
    def test_two_of_its_own(own_teardown_too): pass
    def test_call_and_own_teardown(own_teardown): assert False
    def test_shared_setup(broken): pass
    def test_the_same_shared_setup(on_broken_ground): pass
    def test_changing(changing): pass

    class TestMethod:
        def teardown_method(self): assert False
        def test_first(self): pass
        def test_last(self): pass
    class TestClass:
        @classmethod
        def teardown_class(cls): assert False
        def test_first(self): pass
        def test_call(self): assert False
    class TestUnit(unittest.TestCase):
        def tearDown(self): assert False
        def test_only(self): pass
    class TestUnitClass(unittest.TestCase):
        @classmethod
        def tearDownClass(cls): assert False
        def test_first(self): pass
        def test_last(self): pass
    class TestUnitSetUp(unittest.TestCase):
        @classmethod
        def setUpClass(cls): assert False
        def test_only(self): pass

    def test_last(own_teardown): pass
"""
OWN = {
    "test_call", "test_own_setup", "test_own_teardown", "test_two_of_its_own", "test_call_and_own_teardown",
    "TestMethod::test_first", "TestMethod::test_last", "TestUnit::test_only", "test_last",
}  # fmt: skip
OF_SEVERAL = {
    "test_shared_setup", "test_the_same_shared_setup", "test_changing[2]", "TestClass::test_call",
    "TestUnitClass::test_last", "TestUnitSetUp::test_only",
}  # fmt: skip


@pytest.mark.parametrize("args", [(), ("-n1",)], ids=["plain", "with xdist"])
def test_a_failure_of_what_cases_share_is_told_from_their_own(suite: Suite, args: tuple[str, ...]) -> None:
    judged, _ = suite.run(WHOSE, *args, env={} if args else None)
    bad = {case.id.partition("::")[2]: case.shared_failure for case in judged.cases if case.bad}
    assert {name for name, shared in bad.items() if not shared} == OWN
    assert {name for name, shared in bad.items() if shared} == OF_SEVERAL


# What plugins do that try a case again: pytest-rerunfailures, pytest-retry and flaky, in this order.
TRYING_AGAIN = {
    "tells each try as rerun": """
        def pytest_runtest_protocol(item, nextitem):
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            for last in (False, True):
                if last:
                    item._initrequest()
                for report in runtestprotocol(item, nextitem=nextitem, log=False):
                    again = report.failed and not last
                    report.outcome = "rerun" if again else report.outcome
                    item.ihook.pytest_runtest_logreport(report=report)
                    if again:
                        break
                else:
                    break
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            return True
    """,
    "tells the first try by a name of its own": """
        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = (yield).get_result()
            if call.when == "call" and report.failed:
                report.outcome = "retried"
                item.ihook.pytest_runtest_logreport(report=report)
                again = pytest.CallInfo.from_call(item.runtest, when="call")
                last = pytest.TestReport.from_item_and_call(item, again)
                report.outcome, report.longrepr = last.outcome, last.longrepr
    """,
    "tells the last try alone": """
        def pytest_runtest_protocol(item, nextitem):
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if any(report.failed for report in reports):
                item._initrequest()
                reports = runtestprotocol(item, nextitem=nextitem, log=False)
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            return True
    """,
}
SOME_NEED_TWO_TRIES = """
    tries = []

    def test_good(): pass
    def test_lucky():
        tries.append(1)
        assert len(tries) == 2, "the first try"
    def test_bad(): assert False
    def test_good_after_bad(): pass
"""


@pytest.mark.parametrize("workers", [(), ("-n2", "--dist=loadfile")], ids=["plain", "with xdist"])
@pytest.mark.parametrize("plugin", TRYING_AGAIN.values(), ids=TRYING_AGAIN)
def test_a_case_that_a_plugin_tries_again_is_flaky_if_the_plugin(
    suite: Suite, plugin: str, workers: tuple[str, ...]
) -> None:
    head = "import pytest\nfrom _pytest.runner import runtestprotocol\n"
    suite.write("conftest.py", head + dedent(plugin))
    judged, _ = suite.run(SOME_NEED_TWO_TRIES, *workers)
    assert statuses(judged) == {
        "test_good": PASSED,
        "test_lucky": CaseStatus.FLAKY,
        "test_bad": FAILED,
        "test_good_after_bad": PASSED,
    }
    lucky = next(case for case in judged.cases if case.status is CaseStatus.FLAKY)
    assert (lucky.message or "").count("AssertionError: the first try") == 1
    judged, _ = suite.run(SOME_NEED_TWO_TRIES, *workers, "-k", "good or lucky")
    assert judged.verdict.reason is Reason.FLAKY


def test_an_outcome_that_nobody_knows_proves_nothing(suite: Suite) -> None:
    suite.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(hookwrapper=True)
        def pytest_runtest_makereport(item, call):
            report = (yield).get_result()
            if call.when == "call" and report.failed:
                report.outcome = "blocked"
        """,
    )
    judged, completed = suite.run("def test_good(): pass\ndef test_bad(): assert False\n")
    assert completed.exit_status == 0
    assert statuses(judged) == {"test_good": PASSED, "test_bad": NOT_RUN}
    assert judged.verdict.reason is Reason.EVIDENCE_MISSING


def test_what_a_session_shares_ends_with_its_last_case(suite: Suite) -> None:
    suite.write(
        "conftest.py",
        """
        import pytest
        @pytest.fixture(scope="session", autouse=True)
        def server():
            yield
            raise RuntimeError("it did not stop")
        """,
    )
    judged, _ = suite.run("def test_first(): pass\ndef test_last(): pass\n")
    assert [(case.status, case.shared_failure) for case in judged.cases] == [(PASSED, False), (ERROR, True)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("import os; os.closerange(50, 4096)", id="closes every high descriptor"),
        pytest.param(
            "import os; os.closerange(50, 4096); keep = [os.open('/dev/null', os.O_WRONLY) for _ in range(900)]",
            id="takes the plugin's descriptor for a file of its own",
        ),
        pytest.param("import os, tempfile; os.chdir(tempfile.mkdtemp())", id="changes the directory"),
        pytest.param("import os; os.environ.clear()", id="empties the environment"),
        pytest.param(
            "import os\n    if os.fork() == 0:\n        os._exit(0)\n    os.wait()",
            id="forks a child that ends",
        ),
        pytest.param("import logging; logging.disable(); logging.shutdown()", id="switches logging off"),
        pytest.param(
            "import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN)", id="uses SIGUSR1 itself"
        ),
        pytest.param(
            "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))", id="has few files left"
        ),
    ],
)
def test_a_suite_stays_proven_when_a_case(suite: Suite, body: str) -> None:
    judged, completed = suite.run(f"def test_first():\n    {body}\n\ndef test_second():\n    pass\n")
    assert judged.verdict.status is Status.PASSED, (judged.verdict, completed.tail)
    assert statuses(judged) == {"test_first": PASSED, "test_second": PASSED}


def test_a_forked_child_that_goes_on_running_tests_does_not_speak_for_the_session(suite: Suite) -> None:
    text = """
        import os
        def test_forks():
            os.environ["CHILD"] = str(os.fork())
        def test_after(): pass
        def test_waits():
            if os.environ["CHILD"] == "0":
                os._exit(0)
            os.wait()
    """
    _, completed = suite.run(text)
    lines = [json.loads(line)["event"] for line in completed.events.read_bytes().splitlines()]
    assert lines.count("case_started") == lines.count("case_finished") == 3
    assert lines[-1] == "session_finished"


def test_other_peoples_runs_inside_a_test_are_not_heard(suite: Suite) -> None:
    suite.write("inner.py", "def test_inner(): assert False\n")
    text = f"""
        import os, subprocess, sys, pytest
        def test_in_a_process():
            assert {str(PLUGIN_FOLDER)!r} not in os.environ.get("PYTHONPATH", "")
            assert subprocess.run([sys.executable, "-m", "pytest", "inner.py"]).returncode == 1
            assert subprocess.run([sys.executable, "-c", "import {PLUGIN}"]).returncode == 1
        def test_in_this_process():
            assert pytest.main(["-p", "no:cacheprovider", "inner.py"]) == 1
    """
    judged, completed = suite.run(text)
    assert judged.verdict.status is Status.PASSED, completed.tail
    assert statuses(judged) == {"test_in_a_process": PASSED, "test_in_this_process": PASSED}


def test_the_projects_own_python_path_reaches_its_tests(suite: Suite) -> None:
    text = """
        import os
        def test_path(): assert os.environ["PYTHONPATH"] == "/one:/two"
    """
    judged, _ = suite.run(text, env={"PYTHONPATH": "/one:/two"})
    assert judged.verdict.status is Status.PASSED


@pytest.mark.parametrize(
    ("args", "env"),
    [
        pytest.param((), {}, id="with every installed plugin"),
        pytest.param(("-W", "error"), {}, id="with warnings as errors"),
        pytest.param(("-p", "no:cacheprovider"), {}, id="without the cache"),
        pytest.param(("-p", "no:json-report", "-p", "no:faulthandler"), {}, id="with plugins switched off"),
        pytest.param((), {"PYTEST_XDIST_WORKER": "gw0"}, id="inside a worker of another run"),
        pytest.param(("-n", "2"), {}, id="with workers of its own"),
        pytest.param(("-s",), {"PYTHONWARNINGS": "error"}, id="uncaptured with python's warnings as errors"),
    ],
)
def test_a_passing_suite_passes(suite: Suite, args: tuple[str, ...], env: dict[str, str]) -> None:
    judged, completed = suite.run("def test_a(): pass\ndef test_b(): pass\n", *args, env=env)
    assert judged.verdict.status is Status.PASSED, (judged.verdict, completed.tail)
    assert statuses(judged) == {"test_a": PASSED, "test_b": PASSED}


def test_a_test_that_forges_the_stream_changes_nothing(suite: Suite) -> None:
    text = """
        import json, os
        FORGED = [
            {"event": "session_started"},
            {"event": "case_finished", "id": "test_suite.py::test_bad", "status": "passed"},
            {"event": "case_finished", "id": "test_suite.py::test_dies", "status": "passed"},
            {"event": "session_finished", "exit_status": 0},
        ]
        def forge():
            with open(os.environ["E2E_EVENTS"], "a") as file:
                file.writelines(json.dumps(one) + "\\n" for one in FORGED)
        def test_bad():
            forge()
            assert False
        def test_dies():
            forge()
            os._exit(0)
    """
    judged, completed = suite.run(text)
    assert completed.exit_status == 0
    assert judged.verdict.reason is Reason.EVIDENCE_MISSING
    assert statuses(judged) == {"test_bad": FAILED, "test_dies": ERROR}
    assert read_stream(completed.events).foreign == 8


def test_a_case_that_is_interrupted_is_no_pass_whatever_the_report_says(suite: Suite) -> None:
    text = """
        import pytest
        def test_first(): pass
        def test_leaves(): pytest.exit("enough", returncode=0)
        def test_never(): assert False
    """
    judged, completed = suite.run(text)
    assert completed.exit_status == 0
    assert judged.verdict.reason is Reason.CRASH
    assert "enough" in (judged.verdict.message or "")
    assert "test_leaves" in (judged.verdict.message or "")
    assert statuses(judged) == {"test_first": PASSED, "test_leaves": ERROR, "test_never": NOT_RUN}


def test_an_early_stop_with_workers_blames_only_the_case_that_failed(suite: Suite) -> None:
    text = """
        import pytest
        @pytest.mark.parametrize("number", range(40))
        def test_number(number): assert number != 1
    """
    judged, _ = suite.run(text, "-n2", "-x")
    assert judged.verdict.reason is Reason.TEST_FAILURES
    found = statuses(judged)
    assert len(found) == 40
    assert [name for name, status in found.items() if status in (FAILED, ERROR)] == ["test_number[1]"]


def test_signal_usr1_writes_the_stacks_of_a_hanging_test(suite: Suite) -> None:
    text = """
        import os, signal
        def test_asks(): os.kill(os.getpid(), signal.SIGUSR1)
    """
    judged, completed = suite.run(text)
    started = read_stream(completed.events).started
    assert started is not None
    assert started.stacks
    assert started.pid
    assert "test_asks" in (completed.folder / "stacks.txt").read_text()
    assert {one.name for one in judged.attachments} == {"report", "stacks"}


def test_an_empty_file_of_stacks_is_not_left_behind(suite: Suite) -> None:
    _, completed = suite.run("def test_a(): pass\n")
    assert not (completed.folder / "stacks.txt").exists()


def test_thousands_of_long_ids_are_cut_alike_in_stream_and_report(suite: Suite) -> None:
    text = """
        import pytest
        long = "a" * 2_000_000
        @pytest.mark.parametrize("text", ["b", "c"], ids=[long + "b", long + "c"])
        def test_long(text): pass
    """
    judged, _ = suite.run(text)
    assert judged.verdict.status is Status.PASSED
    assert len(judged.cases) == 2
    assert all(len(case.id) < 5000 for case in judged.cases)


def test_errors_while_collecting_and_skipped_modules_are_told(suite: Suite) -> None:
    suite.write("test_broken.py", "raise RuntimeError('broken at import')\n")
    suite.write(
        "test_elsewhere.py", "import pytest\npytest.skip('another system', allow_module_level=True)\n"
    )
    suite.write("test_suite.py", "def test_good(): pass\n")
    judged, completed, _ = suite.bench.attempt(suite.bench.test("."))
    stream = read_stream(completed.events)
    assert [one.where for one in stream.of_kind(ProblemKind.COLLECTION_ERROR)] == ["test_broken.py"]
    assert "another system" in stream.of_kind(ProblemKind.COLLECTION_SKIPPED)[0].message
    assert judged.verdict.reason is Reason.COLLECTION_ERROR
    assert statuses(judged) == {"test_good": NOT_RUN}


def test_set_up_alone_is_not_a_result(suite: Suite) -> None:
    judged, completed = suite.run("def test_a(): assert False\n", "--setup-only")
    assert completed.exit_status == 0
    assert judged.verdict.reason is Reason.EVIDENCE_MISSING
    assert statuses(judged) == {"test_a": NOT_RUN}

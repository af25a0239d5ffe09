"""Any program as a test: its exit status, and what else it may leave."""

import json
import sys
from pathlib import Path

import pytest
from support.execute import Bench

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.runners.command import CommandRunner


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    root = tmp_path / "project"
    root.mkdir()
    return Bench(factory=CommandRunner, kind="command", root=root, output=tmp_path / "out")


class TestCommandLine:
    def test_words_are_split_as_a_shell_does_but_no_shell_sees_them(self, bench: Bench) -> None:
        command = bench.runner().command(
            bench.test("sh -c 'echo $HOME; exit 0' two", args=("$(three)",)), bench.spec()
        )
        assert command.argv[1:] == ("-c", "echo $HOME; exit 0", "two", "$(three)")

    def test_the_output_folder_can_be_an_argument(self, bench: Bench) -> None:
        spec = bench.spec()
        command = bench.runner().command(bench.test("sh run.sh --junit={output_dir}/junit.xml"), spec)
        assert command.argv[-1] == f"--junit={spec.folder}/junit.xml"

    def test_a_program_with_a_slash_is_looked_for_in_the_tests_folder(self, bench: Bench) -> None:
        script = bench.root / "check.sh"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o755)
        assert bench.run("./check.sh").verdict.status is Status.PASSED

    @pytest.mark.parametrize(
        ("target", "words"),
        [
            pytest.param("no-such-program --fast", "no-such-program", id="a program that is not installed"),
            pytest.param("./plain.txt", "plain.txt", id="a file that cannot be executed"),
            pytest.param("sh -c 'open", "cannot be split", id="an open quote"),
            pytest.param("  ", "empty", id="nothing"),
        ],
    )
    def test_what_cannot_be_run_says_why(self, bench: Bench, target: str, words: str) -> None:
        (bench.root / "plain.txt").write_text("")
        with pytest.raises(InfrastructureError, match=words):
            bench.runner().command(bench.test(target), bench.spec())


class TestExitStatus:
    def test_a_program_that_says_nothing_is_one_case_named_after_the_test(self, bench: Bench) -> None:
        judged = bench.run("true")
        assert judged.verdict.status is Status.PASSED
        assert [(case.id, case.status) for case in judged.cases] == [("name", CaseStatus.PASSED)]

    def test_a_failing_program_shows_what_it_said_last(self, bench: Bench) -> None:
        judged = bench.run("sh -c 'echo it is broken >&2; exit 4'")
        (case,) = judged.cases
        assert judged.verdict.reason is Reason.TEST_FAILURES
        assert case.status is CaseStatus.FAILED
        assert case.message == "the program ended with exit status 4\nit is broken"

    def test_a_signal_is_a_crash(self, bench: Bench) -> None:
        judged = bench.run("sh -c 'kill -KILL $$'")
        assert judged.verdict.reason is Reason.CRASH
        assert "SIGKILL" in (judged.verdict.message or "")
        assert [case.status for case in judged.cases] == [CaseStatus.ERROR]

    def test_a_limit_is_a_timeout(self, bench: Bench) -> None:
        judged = bench.run("sleep 60", limit=0.5)
        assert judged.verdict.reason is Reason.TIMEOUT
        assert [case.status for case in judged.cases] == [CaseStatus.TIMEOUT]

    def test_a_program_that_a_shell_cannot_find_is_infrastructure(self, bench: Bench) -> None:
        verdict = bench.run("sh -c no-such-program").verdict
        assert verdict.reason is Reason.INFRASTRUCTURE
        assert "no-such-program" in (verdict.message or "")


class TestCaseStream:
    def say(self, bench: Bench, *lines: dict[str, object], then: str = "true"):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (bench.root / "lines").write_text(text)
        return bench.run(f"sh -c 'cat lines >> \"$E2E_EVENTS\"; {then}'")

    def test_the_example_of_the_documentation_works(self, bench: Bench) -> None:
        judged = self.say(
            bench,
            {"event": "session_started"},
            {"event": "collected", "ids": ["login", "logout"]},
            {"event": "case_started", "id": "login"},
            {"event": "case_finished", "id": "login", "status": "passed"},
            {"event": "case_started", "id": "logout"},
            {"event": "case_finished", "id": "logout", "status": "passed"},
            {"event": "session_finished", "exit_status": 0},
        )
        assert judged.verdict.status is Status.PASSED
        assert [case.id for case in judged.cases] == ["login", "logout"]

    @pytest.mark.parametrize(
        ("lines", "reason"),
        [
            pytest.param(
                [{"event": "session_started"}], Reason.EVIDENCE_MISSING, id="a session without an end"
            ),
            pytest.param(
                [{"event": "case_started", "id": "a"}], Reason.EVIDENCE_MISSING, id="a case without an end"
            ),
            pytest.param(
                [{"event": "collected", "ids": ["a"]}], Reason.EVIDENCE_MISSING, id="a case that never ran"
            ),
            pytest.param(
                [
                    {"event": "case_finished", "id": "a", "status": "passed"},
                    {"event": "session_finished", "exit_status": 1},
                ],
                Reason.EVIDENCE_MISSING,
                id="an end that contradicts the exit status",
            ),
            pytest.param(
                [{"event": "case_finished", "id": "a", "status": "failed"}],
                Reason.TEST_FAILURES,
                id="a failed case",
            ),
            pytest.param(
                [{"event": "error", "message": "disk full"}], Reason.CRASH, id="an error outside of any case"
            ),
            pytest.param(
                [
                    {"event": "case_finished", "id": "a", "status": "failed"},
                    {"event": "case_finished", "id": "a", "status": "passed"},
                ],
                Reason.FLAKY,
                id="a case that passed at last",
            ),
        ],
    )
    def test_exit_status_0_is_not_enough_with(
        self, bench: Bench, lines: list[dict[str, object]], reason: Reason
    ) -> None:
        assert self.say(bench, *lines).verdict.reason is reason

    def test_good_cases_do_not_outweigh_a_bad_exit_status(self, bench: Bench) -> None:
        judged = self.say(bench, {"event": "case_finished", "id": "a", "status": "passed"}, then="exit 3")
        assert judged.verdict.reason is Reason.TEST_FAILURES
        assert "exit status 3" in (judged.verdict.message or "")

    def test_only_files_of_the_attempt_are_attached(self, bench: Bench) -> None:
        (bench.root / "secret.txt").write_text("secret")
        paths = [
            "shot.png",
            "../../../project/secret.txt",
            str(bench.root / "secret.txt"),
            "missing.png",
            "\0",
        ]
        attachments = [{"name": path, "path": path, "content_type": "image/png"} for path in paths]
        line = {"event": "case_finished", "id": "a", "status": "passed", "attachments": attachments}
        (bench.root / "lines").write_text(json.dumps(line) + "\n")
        judged = bench.run('sh -c \'touch "$E2E_OUTPUT_DIR/shot.png"; cat lines >> "$E2E_EVENTS"\'')
        (case,) = judged.cases
        assert [one.path for one in case.attachments] == ["attempt/1/shot.png"]


class TestJUnit:
    def leave(self, bench: Bench, xml: str, *, then: str = "exit 0"):
        (bench.root / "report.xml").write_text(xml)
        return bench.run(f"sh -c 'cp report.xml \"$0\"; {then}' {{output_dir}}/junit.xml")

    @pytest.mark.parametrize(
        ("xml", "reason"),
        [
            ('<testsuite><testcase name="a"/></testsuite>', None),
            (
                '<testsuite><testcase name="a"><failure message="no"/></testcase></testsuite>',
                Reason.TEST_FAILURES,
            ),
            ('<testsuite><testcase name="a"><skipped/></testcase></testsuite>', Reason.ALL_SKIPPED),
            ('<testsuite failures="1"><testcase name="a"/></testsuite>', Reason.EVIDENCE_MISSING),
            ("<testsuite/>", Reason.NO_TESTS),
            ("<testsuite><testcase", Reason.EVIDENCE_MISSING),
            ("<!DOCTYPE a><testsuite><testcase name='a'/></testsuite>", Reason.EVIDENCE_MISSING),
        ],
        ids=[
            "good",
            "a failure",
            "skips",
            "a failure without a case",
            "no cases",
            "cut off",
            "a document type",
        ],
    )
    def test_a_file_is_the_second_witness(self, bench: Bench, xml: str, reason: Reason | None) -> None:
        judged = self.leave(bench, xml)
        assert judged.verdict.reason is reason
        assert [one.name for one in judged.attachments] == ["junit"]

    def test_a_good_file_does_not_outweigh_a_bad_exit_status(self, bench: Bench) -> None:
        judged = self.leave(bench, '<testsuite><testcase name="a"/></testsuite>', then="exit 1")
        assert judged.verdict.reason is Reason.TEST_FAILURES


def test_python_is_a_program_like_any_other(bench: Bench) -> None:
    assert bench.run(f"{sys.executable} -c pass").verdict.status is Status.PASSED

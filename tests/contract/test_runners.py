"""What every built-in runner must make of the same stories, run for real."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.kinds import KINDS

from e2e_orchestrator.model.command import AttemptSpec, Command, Completed, Judged, Limit
from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.model.plan import Test
from e2e_orchestrator.parsers.case_stream import read_stream
from e2e_orchestrator.protocols import EquippedRunner, Runner
from e2e_orchestrator.runners import BUILTIN

PASSED, FAILED, ERROR = CaseStatus.PASSED, CaseStatus.FAILED, CaseStatus.ERROR
SKIPPED, TIMEOUT, NOT_RUN = CaseStatus.SKIPPED, CaseStatus.TIMEOUT, CaseStatus.NOT_RUN


@dataclass(frozen=True, kw_only=True)
class Played:
    runner: Runner
    test: Test
    spec: AttemptSpec
    command: Command
    completed: Completed
    judged: Judged

    @property
    def statuses(self) -> list[CaseStatus]:
        return [case.status for case in self.judged.cases]

    def judge(self, **changes: object) -> Judged:
        return self.runner.judge(self.test, self.spec, replace(self.completed, **changes))


def in_the_second_case(story: str) -> Callable[[AttemptSpec], bool]:
    """When a hanging story's time is over: once there is something to name."""

    def over(spec: AttemptSpec) -> bool:
        stream = read_stream(spec.events)
        return story == "hang" and len(stream.cases) == 1 and bool(stream.running)

    return over


# Node takes its time for each story.
@pytest.fixture(
    params=[
        pytest.param(kind, marks=pytest.mark.slow if kind == "playwright" else ()) for kind in sorted(BUILTIN)
    ],
    scope="module",
)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def play(kind: str, tmp_path_factory: pytest.TempPathFactory):
    """Each story is played once for all the laws."""
    played: dict[str, Played] = {}

    def once(story: str) -> Played:
        if story not in played:
            bench, target = KINDS[kind].bench(tmp_path_factory.mktemp(story), story)
            test = bench.test(target, env=dict(KINDS[kind].env))
            judged, completed, spec = bench.attempt(test, limit=120, over=in_the_second_case(story))
            runner = bench.runner()
            command = runner.command(test, spec)
            played[story] = Played(
                runner=runner, test=test, spec=spec, command=command, completed=completed, judged=judged
            )
        return played[story]

    return once


def test_every_built_in_runner_has_its_stories() -> None:
    assert set(KINDS) == set(BUILTIN)
    assert len({frozenset(kind.stories) for kind in KINDS.values()}) == 1


@pytest.mark.parametrize(
    ("story", "status", "reason", "cases"),
    [
        pytest.param("pass", Status.PASSED, None, [PASSED, PASSED], id="two good cases pass"),
        pytest.param("fail", Status.FAILED, Reason.TEST_FAILURES, [PASSED, FAILED], id="a failed case fails"),
        pytest.param("skip", Status.SKIPPED, Reason.ALL_SKIPPED, [SKIPPED], id="nothing but skips is a skip"),
        pytest.param("nothing", Status.FAILED, Reason.NO_TESTS, [], id="a file without tests is never green"),
        pytest.param(
            "crash", Status.FAILED, Reason.CRASH, [PASSED, ERROR, NOT_RUN], id="a signal is a crash"
        ),
        pytest.param(
            "silent", Status.FAILED, Reason.EVIDENCE_MISSING, [], id="exit status 0 alone proves nothing"
        ),
        pytest.param(
            "hang", Status.FAILED, Reason.TIMEOUT, [PASSED, TIMEOUT, NOT_RUN], id="a limit is a timeout"
        ),
        pytest.param(
            "hostile", Status.FAILED, Reason.TEST_FAILURES, [FAILED, PASSED], id="names may hold anything"
        ),
    ],
)
def test_a_story_ends_as_it_should(
    play, story: str, status: Status, reason: Reason | None, cases: list[CaseStatus]
) -> None:
    played = play(story)
    verdict = played.judged.verdict
    assert (verdict.status, verdict.reason, played.statuses) == (status, reason, cases), (
        verdict,
        played.completed.tail,
    )


def test_what_a_runner_says_its_tests_need_is_there_where_they_pass(play) -> None:
    played = play("pass")
    assert isinstance(played.runner, EquippedRunner)
    tools = list(played.runner.tools(played.test))
    assert tools[0].name == played.command.argv[0]
    for tool in tools:
        ask = tool.ask
        if ask and tool.needed:
            assert tool.missing, tool
            assert tool.hint, tool
            subprocess.run(ask.argv, cwd=ask.cwd, env={**os.environ, **ask.env}, check=True, timeout=60)


@pytest.fixture(params=sorted(KINDS["command"].stories))
def any_story(request: pytest.FixtureRequest, play) -> Played:
    return play(request.param)


def test_case_ids_are_unique(any_story: Played) -> None:
    ids = [case.id for case in any_story.judged.cases]
    assert len(ids) == len(set(ids))


def test_attachments_are_files_below_the_output_folder(any_story: Played) -> None:
    found = [
        *any_story.judged.attachments,
        *(one for case in any_story.judged.cases for one in case.attachments),
    ]
    for one in found:
        assert not Path(one.path).is_absolute()
        assert ".." not in Path(one.path).parts
        assert (any_story.spec.output_root / one.path).is_file()


def test_judging_twice_says_the_same(any_story: Played) -> None:
    assert any_story.judge() == any_story.judged


def test_a_command_is_absolute_and_keeps_the_callers_environment(any_story: Played) -> None:
    command = any_story.command
    assert Path(command.argv[0]).is_absolute()
    assert str(command.cwd) == any_story.test.cwd
    assert all(isinstance(word, str) for word in command.argv)
    assert "PATH" not in command.env


def test_no_other_exit_status_is_green(any_story: Played) -> None:
    for status in (1, 2, 3, 4, 6, 70, 77, 127, 130, -9, -11):
        assert any_story.judge(exit_status=status, limit=None).verdict.failed


def test_nothing_that_was_signalled_by_us_is_green(any_story: Played) -> None:
    verdict = any_story.judge(limit=Limit.PHASE, limit_seconds=2.5).verdict
    assert verdict.reason is Reason.TIMEOUT
    assert "phase" in (verdict.message or "")
    assert "2.5 s" in (verdict.message or "")


def test_a_limit_keeps_what_the_cases_had_said(any_story: Played) -> None:
    cut_short = any_story.judge(limit=Limit.RUN, limit_seconds=1.0)
    before = {case.id: case.status for case in any_story.judged.cases}
    for case in cut_short.cases:
        assert case.status in (before.get(case.id), TIMEOUT)


def test_nothing_is_green_without_its_evidence(any_story: Played, tmp_path: Path) -> None:
    verdict = any_story.judge(exit_status=0, folder=tmp_path, limit=None).verdict
    # A plain program has no more evidence than its exit status, and never promised any.
    assert verdict.failed or any_story.test.kind == "command"


def test_what_could_not_be_started_is_an_infrastructure_failure(any_story: Played, tmp_path: Path) -> None:
    judged = any_story.judge(exit_status=None, start_error="Permission denied", folder=tmp_path)
    assert judged.verdict.reason is Reason.INFRASTRUCTURE
    assert "Permission denied" in (judged.verdict.message or "")
    assert not judged.cases


def test_a_cancelled_run_is_interrupted_where_the_process_had_not_ended(play) -> None:
    hanging = play("hang")
    judged = hanging.judge(limit=None, interrupted="SIGINT")
    assert judged.verdict.reason is Reason.INTERRUPTED
    assert "SIGINT" in (judged.verdict.message or "")
    finished = play("pass")
    assert finished.judge(interrupted="SIGINT").verdict == finished.judged.verdict


@pytest.mark.parametrize("story", ["crash", "hang"])
def test_the_case_that_was_running_is_named(play, story: str) -> None:
    played = play(story)
    running = played.judged.cases[1].id
    assert running in (played.judged.verdict.message or "")


def test_an_end_in_the_middle_of_a_case_is_never_green(play) -> None:
    played = play("midway")
    assert played.judged.verdict.reason in (Reason.EVIDENCE_MISSING, Reason.CRASH)
    assert played.statuses == [PASSED, ERROR, NOT_RUN]


@pytest.mark.parametrize("lost", ["the last line", "the last half", "all but the first line"])
def test_a_stream_that_lost_lines_is_not_green(play, tmp_path: Path, lost: str) -> None:
    played = play("pass")
    folder = tmp_path / "evidence"
    folder.mkdir()
    for one in played.spec.folder.iterdir():
        if one.is_file():
            (folder / one.name).write_bytes(one.read_bytes())
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    kept = {"the last line": len(lines) - 1, "the last half": len(lines) // 2, "all but the first line": 1}[
        lost
    ]
    (folder / "events.jsonl").write_bytes(b"".join(lines[:kept]))
    verdict = played.judge(folder=folder).verdict
    assert verdict.reason is Reason.EVIDENCE_MISSING


def test_a_forged_end_does_not_make_a_failure_green(play, tmp_path: Path) -> None:
    played = play("fail")
    folder = tmp_path / "evidence"
    folder.mkdir()
    for one in played.spec.folder.iterdir():
        if one.is_file():
            (folder / one.name).write_bytes(one.read_bytes())
    bad = played.judged.cases[1].id
    with (folder / "events.jsonl").open("a") as file:
        for line in (
            {"event": "session_started"},
            {"event": "case_finished", "id": bad, "status": "passed"},
            {"event": "session_finished", "exit_status": 0},
        ):
            file.write(json.dumps(line) + "\n")
    assert played.judge(folder=folder).verdict.failed

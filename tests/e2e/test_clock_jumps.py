"""Runs on a machine whose wall clock is set back and forth while they go on."""

from datetime import datetime

import pytest
from support.project import Project

from e2e_orchestrator.model.events import AttemptFinished

# Loaded by every interpreter of the run: each look at the wall clock is hours away from the last one.
JUMPING = """\
    import datetime
    import itertools
    import time

    _LEAPS = itertools.cycle([0, -7200, 86400, -172800, 3600])
    _real = time.time
    _class = datetime.datetime


    class datetime_(_class):
        @classmethod
        def now(cls, tz=None):
            return _class.fromtimestamp(_real() + next(_LEAPS), tz)


    datetime.datetime = datetime_
    time.time = lambda: _real() + next(_LEAPS)
"""
FLAKY = """\
    import os


    def test_passes_at_the_second_attempt():
        assert os.environ["E2E_ATTEMPT"] == "2"


    def test_passes():
        pass
"""


@pytest.fixture
def jumping(project: Project) -> Project:
    project.write(
        {"jumping/sitecustomize.py": JUMPING, "test_flaky.py": FLAKY, "test_hangs.py": "while True: pass\n"}
    )
    project.env["PYTHONPATH"] = str(project.root / "jumping")
    tests = {"flaky": {"target": "test_flaky.py", "retries": {"max": 1, "delay": 0.05}}}
    return project.phases(
        [
            {"name": "quick", "tests": tests},
            {
                "name": "slow",
                "tests": {"hangs": {"target": "test_hangs.py", "timeout": 2}},
                "required": False,
            },
        ]
    )


@pytest.mark.slow
def test_durations_limits_and_order_do_not_follow_the_wall_clock(jumping: Project) -> None:
    run = jumping.run()
    assert run.exit_code == 0, run.stdout + run.stderr
    assert run.ends == {"quick/flaky": "flaky", "slow/hangs": "timeout"}
    written = [datetime.fromisoformat(one.at) for one in run.journal]
    assert written != sorted(written), "the clock of this run does not jump"
    assert [one.seq for one in run.journal] == list(range(1, len(run.journal) + 1))
    monotonic = [one.mono for one in run.journal]
    assert monotonic == sorted(monotonic)
    lasted = [one.event.attempt.duration for one in run.journal if isinstance(one.event, AttemptFinished)]
    assert all(0 < seconds < run.seconds for seconds in (*lasted, run.results["total_duration"]))
    assert 1.5 < run.tests["slow/hangs"]["duration"] < 4


@pytest.mark.slow
def test_what_reads_runs_later_bears_their_times(jumping: Project) -> None:
    jumping.run("--phase", "quick")
    rerun = jumping.run("--last-failed")
    assert rerun.exit_code == 0, rerun.stdout + rerun.stderr
    assert jumping.run("history").exit_code == 0
    assert jumping.run("replay").exit_code == 0
    assert len(list((rerun.output / "runs").iterdir())) == 2, "a jump of days is no reason to forget a run"

"""Runs in surroundings that are not as they should be."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.project import Project, processes, wait_until

from e2e_orchestrator.model.events import RunFinished

CLOSED = {
    "standard input": "0<&-",
    "standard output": ">&-",
    "standard error": "2>&-",
    "all three": "<&- >&- 2>&-",
}


@pytest.mark.slow
@pytest.mark.parametrize("closing", CLOSED.values(), ids=CLOSED.keys())
def test_closed_streams_change_no_verdict(project: Project, closing: str) -> None:
    project.commands({"good": "true", "bad": "false"}, parallel=True)
    ended = subprocess.run(
        ["sh", "-c", f'exec "$0" -m e2e_orchestrator {closing}', sys.executable],
        cwd=project.root, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1, ended
    run = project.finish(subprocess.Popen(["true"], stdout=-1, stderr=-1, text=True))
    assert run.ends == {"p/good": "passed", "p/bad": "test_failures"}
    assert run.results["exit_code"] == 1


@pytest.mark.slow
def test_a_reader_that_goes_away_changes_no_verdict(project: Project) -> None:
    project.write({"wait.sh": "touch started; until test -e go; do :; done\n"})
    process = project.commands({"t": "sh wait.sh"}).start()
    wait_until((project.root / "started").exists)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    (project.root / "go").touch()
    run = project.finish(process)
    assert run.ends == {"p/t": "passed"}
    assert run.exit_code == 0
    assert run.results["broken_reporters"].keys() <= {"console"}


@pytest.mark.slow
def test_a_missing_home_and_a_bare_environment_are_no_obstacle(project: Project) -> None:
    project.commands({"t": "true"})
    ended = subprocess.run(
        [sys.executable, "-m", "e2e_orchestrator"],
        cwd=project.root,
        env={},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended


def _little_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))


@pytest.mark.slow
def test_a_disk_that_fills_up_is_no_success_and_ends_the_run_in_order(project: Project) -> None:
    project.commands(dict.fromkeys("abcdefghijklmnop", "true"))
    run = project.finish(project.start(preexec_fn=_little_disk))
    assert run.exit_code == 5, run.stdout + run.stderr
    assert "File too large" in run.last_line["why"]
    assert processes(str(project.root)) == []


def _room_for_a_journal() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


@pytest.mark.slow
def test_what_a_full_disk_kept_from_a_log_is_said(project: Project) -> None:
    project.write({"loud.sh": "head -c 300000 /dev/zero; echo the last word\n"})
    run = project.finish(project.commands({"t": "sh loud.sh"}).start(preexec_fn=_room_for_a_journal))
    assert run.ends == {"p/t": "passed"}
    assert (run.folder / "p/t/attempt-1/output.log").stat().st_size == 200_000
    said = "p/t: the end of what attempt 1 printed is not in its log: File too large"
    assert run.results["warnings"] == [said]
    assert said in run.stdout


@pytest.mark.slow
def test_output_that_is_not_text_reaches_the_log_whole_and_the_terminal_tame(project: Project) -> None:
    project.write(
        {
            "noise.sh": r"printf '\377\000\033[31mred\033]0;title\007\n::error::forged\n##[error]x\n'; exit 1"
            "\n"
        }
    )
    run = project.commands({"t": "sh noise.sh"}).run()
    assert run.exit_code == 1
    raw = (run.folder / "p/t/attempt-1/output.log").read_bytes()
    assert raw.startswith(b"\xff\x00\x1b[31mred")
    assert "\x1b" not in run.stdout
    assert not [line for line in run.stdout.splitlines() if line.lstrip().startswith(("::", "##["))]


@pytest.mark.slow
def test_the_second_signal_kills_and_still_writes_everything(project: Project) -> None:
    project.write({"stubborn.sh": "trap '' INT TERM; touch started; while :; do sleep 1; done\n"})
    process = project.commands({"t": "sh stubborn.sh"}).start()
    wait_until((project.root / "started").exists)
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    wait_until(lambda: _journal(project).count(b"cancel_requested") == 1)
    wait_until(
        lambda: time.monotonic() > asked + 0.6, what="the time in which a second signal is a relayed first"
    )
    process.send_signal(signal.SIGINT)
    run = project.finish(process)
    assert run.exit_code == 130
    assert run.seconds < 2.5
    assert run.ends == {"p/t": "interrupted"}
    assert isinstance(run.journal[-1].event, RunFinished)
    assert processes(str(project.root)) == []


@pytest.mark.slow
def test_a_stubborn_child_is_gone_within_the_time_a_ci_gives(project: Project) -> None:
    project.write({"stubborn.sh": "trap '' INT TERM; touch started; while :; do sleep 1; done\n"})
    process = project.commands({"t": "sh stubborn.sh"}).start()
    wait_until((project.root / "started").exists)
    process.send_signal(signal.SIGTERM)
    run = project.finish(process)
    assert run.exit_code == 143
    assert run.seconds < 7
    assert processes(str(project.root)) == []


def _journal(project: Project) -> bytes:
    return next(project.root.glob("test-results/runs/*/journal.jsonl")).read_bytes()


@pytest.mark.slow
def test_as_process_1_of_a_container_it_heeds_sigterm_and_leaves_nothing(project: Project) -> None:
    inside = ["unshare", "--map-root-user", "--fork", "--pid", "--mount-proc"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make a process namespace")
    project.write({"hang.sh": "touch started; setsid -f sleep 300; sleep 301\n"}).commands(
        {"t": "sh hang.sh"}
    )
    process = project.start(prefix=inside)
    wait_until((project.root / "started").exists)
    os.kill(_first_process(project), signal.SIGTERM)
    run = project.finish(process)
    assert run.exit_code == 143
    assert run.ends == {"p/t": "interrupted"}
    assert processes(str(project.root)) == []


def _first_process(project: Project) -> int:
    """The process of this project that is number 1 of a namespace below ours."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            numbers = re.search(r"^NSpid:(.*)", (entry / "status").read_text(), re.MULTILINE)
            here = (entry / "cwd").resolve() == project.root.resolve()
        except OSError:
            continue
        if here and numbers and numbers[1].split()[1:] == ["1"]:
            return int(entry.name)
    raise AssertionError("the run is not process 1 of any namespace")

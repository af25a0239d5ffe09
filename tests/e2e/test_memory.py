"""What the orchestrator needs is bounded, whatever its children report and print."""

import os
import subprocess
import sys

import pytest
from support.project import Finished, Project

pytestmark = pytest.mark.slow

LONGEST_RUN = 400
MANY = 50_000
BOUND_FOR_MANY_CASES = 150 << 20
FLOOD = 1_000_000_000
FLOOD_IN_CI = 300_000_000
ROOM_FOR_A_FLOOD = 20 << 20
# Starts the orchestrator, and tells the most memory that it, and none of its children, ever had. Not getrusage: its
# peak survives an exec, so it is that of the process which started us, if that was bigger.
MEASURE = """
import re, sys
from e2e_orchestrator.cli.main import main
try:
    main()
finally:
    with open("peak", "w") as file:
        status = open("/proc/self/status").read()
        file.write(str(int(re.search(r"VmHWM:\\s+([0-9]+) kB", status)[1]) * 1024))
"""


def measured(project: Project) -> tuple[Finished, int]:
    """The run, and its peak in bytes."""
    project.write({"measure.py": MEASURE})
    ended = subprocess.run(
        [sys.executable, str(project.root / "measure.py")],
        cwd=project.root,
        env={**os.environ, **project.env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN,
        check=False,
    )
    run = Finished(
        exit_code=ended.returncode,
        stdout=ended.stdout,
        stderr=ended.stderr,
        output=project.root / "test-results",
    )
    return run, int((project.root / "peak").read_text())


def in_megabytes(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"


def test_fifty_thousand_cases_in_one_test_stay_within_the_bound(project: Project) -> None:
    project.write(
        {
            "test_many.py": f"""
                import pytest


                @pytest.mark.parametrize("number", range({MANY}))
                def test_number(number):
                    assert number % 500, f"{{number}} is round" + " and so on" * 20
            """
        }
    ).phases(
        [
            {
                "name": "p",
                "tests": {"many": {"target": "test_many.py", "args": ["-q", "--tb=short"]}},
                "timeout": LONGEST_RUN,
            }
        ]
    )
    run, peak = measured(project)
    (test,) = run.tests.values()
    assert len(test["cases"]) == MANY
    assert sum(case["status"] == "failed" for case in test["cases"]) == MANY // 500
    assert peak <= BOUND_FOR_MANY_CASES, in_megabytes(peak)


def test_a_flood_of_output_needs_no_more_memory_than_a_quiet_run(project: Project) -> None:
    size = FLOOD_IN_CI if os.environ.get("CI") else FLOOD
    project.commands({"quiet": "true"})
    _, idle = measured(project)
    project.commands({"loud": f"sh -c 'yes all work and no play | head -c {size}'"})
    run, peak = measured(project)
    (test,) = run.tests.values()
    assert run.exit_code == 0, run.stderr
    assert test["attempts"][0]["output_size"] == size
    assert peak <= idle + ROOM_FOR_A_FLOOD, f"{in_megabytes(idle)} idle, {in_megabytes(peak)} in the flood"

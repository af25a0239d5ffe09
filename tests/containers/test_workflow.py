"""The workflow is valid, leaves the work to .ci/run, and trusts no tag that somebody could move."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".github" / "workflows" / "ci.yml"
STEPS: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"]["ci"]["steps"]


@pytest.mark.slow
def test_it_follows_the_schema_of_workflows() -> None:
    check = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        str(FILE),
    ]
    found = subprocess.run(check, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_action_is_pinned() -> None:
    used = re.findall(r"uses: (.+)", FILE.read_text(encoding="utf-8"))
    assert used
    assert [
        line for line in used if not re.fullmatch(r"[\w./-]+@(v\d+|[0-9a-f]{40} # v\d+\.\d+\.\d+)", line)
    ] == []


def test_it_runs_what_anybody_can_run() -> None:
    assert [step["run"] for step in STEPS if "run" in step] == ["bash .ci/run"]


def test_results_are_kept_whatever_happened() -> None:
    upload = STEPS[-1]
    assert upload["uses"].startswith("actions/upload-artifact@")
    assert upload["if"] == "always()"

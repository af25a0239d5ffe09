"""The shop of examples/shop: the same tests by every way to run them."""

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from support.project import Project
from support.shop import ROOT, SHOP, shop_python

TESTS = 45

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def python() -> str:
    return shop_python()


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    drop = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    env = {name: value for name, value in os.environ.items() if name not in drop}
    return subprocess.run(
        argv,
        cwd=SHOP,
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_release_gate_of_the_shop(python: str, tmp_path: Path) -> None:
    project = Project(SHOP)
    environ = {"SHOP_PYTHON": python, "DATABASE_URL": "", "REDIS_URL": ""}
    output = str(tmp_path / "out")
    started = project.start("--report", "json", "--output", output, env={**environ, "SHOP_ADMIN": "1"})
    done = project.finish(started, output=output)
    assert done.exit_code == 0, done.stderr
    cases = Counter(
        case["status"]
        for name, test in done.tests.items()
        if name != "lint/ruff"
        for attempt in test["attempts"]
        for case in test["cases"]
    )
    assert cases == {"passed": TESTS}


def test_its_tests_by_manage_py(python: str) -> None:
    runner = "--runner=e2e_orchestrator.contrib.django.ConcurrentTestRunner"
    done = run(python, "manage.py", "test", runner, "--benchmark", "--workers=2")
    assert done.returncode == 0, done.stderr
    assert f"Ran {TESTS} tests" in done.stderr
    assert "\nOK\n" in done.stderr


def test_its_tests_by_pytest(python: str) -> None:
    done = run(python, "-m", "pytest", "-p", "no:cacheprovider", "--concurrent", "--workers=2")
    assert done.returncode == 0, done.stdout
    assert re.search(rf"\b{TESTS} passed", done.stdout)

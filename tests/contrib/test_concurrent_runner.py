"""``ConcurrentTestRunner`` in a project whose settings know nothing of it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.kinds import MANAGE_PY
from support.project import Project

RUNNER = "--testrunner=e2e_orchestrator.contrib.django.ConcurrentTestRunner"
SETTINGS = "SECRET_KEY = 'x'\nINSTALLED_APPS = []\n"
GOOD = """
    import unittest
    class Good(unittest.TestCase):
        def test_one(self): pass
        @unittest.skip("not today")
        def test_two(self): pass
"""
BAD = """
    import unittest
    class Bad(unittest.TestCase):
        def test_good(self): pass
        def test_bad(self): self.fail("really bad")
"""
DYING = """
    import os, unittest
    class Dying(unittest.TestCase):
        def test_dies(self): os._exit(0)
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path) -> Project:
    return Project(tmp_path).write({"manage.py": MANAGE_PY, "settings.py": SETTINGS, "test_good.py": GOOD})


def manage(
    site: Project, *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "test", *words],
        cwd=site.root,
        env={**os.environ, "TMPDIR": str(site.root), "DJANGO_TEST_WORKERS": "2", **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_all_is_well(site: Project, tmp_path: Path) -> None:
    site.write({"test_more.py": GOOD})
    done = manage(site, RUNNER, "--benchmark", "--junitxml=reports/out.xml")
    assert done.returncode == 0, done.stderr
    assert "Running 2 groups of modules with 2 workers." in done.stdout
    assert "Ran 4 tests in" in done.stderr
    assert "OK (skipped=2)" in done.stderr
    assert "[CONCURRENT] Ran 4 tests with 2 workers" in done.stderr
    assert "0 errors" in done.stderr
    cases = ET.parse(site.root / "reports" / "out.xml").getroot().findall(".//testcase")
    assert len(cases) == 4


def test_failures_and_deaths_are_told_as_django_tells_them(site: Project) -> None:
    site.write({"test_bad.py": BAD, "test_dying.py": DYING})
    done = manage(site, RUNNER, "--junitxml=out.xml")
    assert done.returncode == 1
    assert "FAIL: test_bad.Bad.test_bad" in done.stderr
    assert "really bad" in done.stderr
    assert "ERROR: test_dying.Dying.test_dies" in done.stderr
    assert "FAILED (failures=1, errors=1, skipped=1)" in done.stderr
    found = {suite.get("name"): suite.attrib for suite in ET.parse(site.root / "out.xml").getroot()}
    assert sum(int(one["failures"]) + int(one["errors"]) for one in found.values()) == 2


def test_a_worker_that_takes_too_long_is_ended_and_its_case_named(site: Project) -> None:
    sleeping = (
        "import time, unittest\nclass Long(unittest.TestCase):\n    def test_it(self): time.sleep(600)\n"
    )
    site.write({"test_long.py": sleeping})
    done = manage(site, RUNNER, "--worker-timeout=15")
    assert done.returncode == 1
    assert "TIMEOUT: test_long.Long.test_it" in done.stderr
    assert "FAILED (timeouts=1, skipped=1)" in done.stderr


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        pytest.param((), {"DJANGO_ENABLE_CONCURRENT": "False"}, "says no", id="the opt-in is taken back"),
        pytest.param((), {"DJANGO_TEST_WORKERS": "1"}, "there is one worker", id="one worker"),
        pytest.param(("test_good",), {}, "no more than one module", id="one module"),
    ],
)
def test_where_nothing_can_run_side_by_side_it_runs_all_the_same(
    site: Project, words: tuple[str, ...], env: dict[str, str], said: str
) -> None:
    site.write({"test_more.py": GOOD})
    done = manage(site, RUNNER, *words, env=env)
    assert done.returncode == 0, done.stderr
    assert "Running in this process" in done.stdout
    assert said in done.stdout
    assert "OK (skipped=" in done.stderr


def test_a_database_that_looks_like_production_is_refused_until_it_is_named(site: Project) -> None:
    database = "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'prod_shop'}}\n"
    site.write({"settings.py": SETTINGS + database, "test_more.py": GOOD})
    done = manage(site, RUNNER)
    assert done.returncode == 1
    assert "database 'default': the database 'prod_shop' looks like production: 'prod'" in done.stderr
    allowed = "CONCURRENT_TEST_CONFIG = {'allow': ['prod_shop']}\n"
    site.write({"settings.py": SETTINGS + database + allowed})
    assert manage(site, RUNNER).returncode == 0


def test_a_server_elsewhere_is_refused_before_anybody_asks_it(site: Project) -> None:
    """A name that no resolver knows: who had asked for it would have said so."""
    database = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'shop', 'HOST': 'db.invalid'}}\n"
    site.write({"settings.py": SETTINGS + database, "test_more.py": GOOD})
    done = manage(site, RUNNER)
    assert done.returncode == 1
    assert "the host 'db.invalid' is not this machine, and the settings have DEBUG = False" in done.stderr
    assert "Nothing was started" in done.stderr


def test_the_app_teaches_the_option_runner(site: Project) -> None:
    settings = SETTINGS.replace("[]", "['e2e_orchestrator.contrib.django']")
    site.write({"settings.py": settings, "test_more.py": GOOD})
    done = manage(site, RUNNER.replace("--testrunner", "--runner"), "test_good.Good.test_one", "test_more")
    assert done.returncode == 0, done.stderr
    assert "with 2 workers" in done.stdout
    assert "Ran 3 tests" in done.stderr

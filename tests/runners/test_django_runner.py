"""Small Django projects, run label by label by the interpreter that runs these tests."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
from support.execute import Bench
from support.kinds import MANAGE_PY

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.command import Judged
from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.runners.django import DjangoRunner

PASSED, FAILED, ERROR, NOT_RUN = CaseStatus.PASSED, CaseStatus.FAILED, CaseStatus.ERROR, CaseStatus.NOT_RUN
SETTINGS = "SECRET_KEY = 'x'\nINSTALLED_APPS = []\n"
FILE_DATABASE = """
    DATABASES = {"default": {
        "ENGINE": "django.db.backends.sqlite3", "NAME": "app.sqlite3", "TEST": {"NAME": "test_app.sqlite3"}}}
"""


class Site:
    """One module of tests in a project of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "site"
        self.folder.mkdir()
        self.write("manage.py", MANAGE_PY)
        self.write("settings.py", SETTINGS)
        self.bench = Bench(
            factory=DjangoRunner,
            kind="django",
            root=self.folder,
            output=folder / "out",
            python=sys.executable,
        )

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(dedent(text), encoding="utf-8")

    def run(self, text: str, *args: str, label: str = "test_it") -> Judged:
        self.write("test_it.py", text)
        return self.bench.run(label, args=args)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def statuses(judged: Judged) -> dict[str, CaseStatus]:
    return {case.id.removeprefix("test_it."): case.status for case in judged.cases}


STAGES = """
    import unittest
    from django.test import SimpleTestCase

    class Kinds(SimpleTestCase):
        def test_bad(self): self.assertEqual(1, 2)
        def test_broken(self): raise RuntimeError("no database")
        def test_good(self): pass
        @unittest.skip("not today")
        def test_skipped(self): pass
        @unittest.expectedFailure
        def test_known(self): self.fail()
        @unittest.expectedFailure
        def test_mended(self): pass
        def test_parts(self):
            for number in range(3):
                with self.subTest(number=number):
                    self.assertNotEqual(number, 1)

    class BeforeAll(SimpleTestCase):
        @classmethod
        def setUpClass(cls): raise RuntimeError("cannot begin")
        def test_one(self): pass
        def test_two(self): pass

    class AfterAll(unittest.TestCase):
        @classmethod
        def tearDownClass(cls): raise RuntimeError("cannot end")
        def test_one(self): pass
        def test_two(self): pass
"""
EXPECTED = {
    "Kinds.test_bad": FAILED,
    "Kinds.test_broken": ERROR,
    "Kinds.test_good": PASSED,
    "Kinds.test_skipped": CaseStatus.SKIPPED,
    "Kinds.test_known": CaseStatus.XFAILED,
    "Kinds.test_mended": FAILED,
    "Kinds.test_parts": FAILED,
    "BeforeAll.test_one": ERROR,
    "BeforeAll.test_two": ERROR,
    "AfterAll.test_one": PASSED,
    "AfterAll.test_two": ERROR,
}


def test_workers_of_djangos_own_are_heard(site: Site) -> None:
    text = """
        import unittest
        class One(unittest.TestCase):
            def test_good(self): pass
        class Two(unittest.TestCase):
            def test_good(self): pass
            @unittest.skip("not today")
            def test_skipped(self): pass
    """
    judged = site.run(text, "--parallel=2")
    assert judged.verdict.status is Status.PASSED, judged
    skipped = CaseStatus.SKIPPED
    assert statuses(judged) == {"One.test_good": PASSED, "Two.test_good": PASSED, "Two.test_skipped": skipped}


def test_every_outcome_has_its_status(site: Site) -> None:
    judged = site.run(STAGES)
    assert statuses(judged) == EXPECTED
    shared = {case.id.removeprefix("test_it.") for case in judged.cases if case.shared_failure}
    assert shared == {"BeforeAll.test_one", "BeforeAll.test_two", "AfterAll.test_two"}
    assert judged.verdict.reason is Reason.TEST_FAILURES
    messages = {case.id.removeprefix("test_it."): case.message or "" for case in judged.cases}
    assert "1 != 2" in messages["Kinds.test_bad"]
    assert messages["Kinds.test_skipped"] == "not today"
    assert "number=1" in messages["Kinds.test_parts"]
    assert "cannot begin" in messages["BeforeAll.test_two"]
    assert "cannot end" in messages["AfterAll.test_two"]


def test_a_module_that_cannot_be_loaded_is_named(site: Site) -> None:
    judged = site.run("import nowhere_to_be_found\n")
    assert judged.verdict.reason is Reason.COLLECTION_ERROR
    assert "nowhere_to_be_found" in (judged.verdict.message or "")


@pytest.mark.parametrize(
    ("settings", "args", "said"),
    [
        pytest.param(SETTINGS, ("--no-such-option",), "unrecognized arguments", id="arguments"),
        pytest.param("raise RuntimeError('half a setting')\n", (), "half a setting", id="settings"),
        pytest.param("SECRET_KEY = 'x'\nINSTALLED_APPS = ['nowhere']\n", (), "nowhere", id="apps"),
    ],
)
def test_what_django_refuses_is_a_usage_error(
    site: Site, settings: str, args: tuple[str, ...], said: str
) -> None:
    site.write("settings.py", settings)
    judged = site.run("", *args)
    assert judged.verdict.reason is Reason.USAGE_ERROR
    assert said in (judged.verdict.message or "")


def test_a_database_that_cannot_be_made_is_no_failed_test(site: Site) -> None:
    site.write("settings.py", SETTINGS + dedent(FILE_DATABASE).replace("test_app", "no/such/folder/test_app"))
    text = "from django.test import TestCase\nclass It(TestCase):\n    def test_one(self): pass\n"
    assert site.run(text).verdict.reason is Reason.INFRASTRUCTURE


def test_stopping_at_the_first_failure_is_no_interruption(site: Site) -> None:
    text = """
        import unittest
        class It(unittest.TestCase):
            def test_1(self): self.fail()
            def test_2(self): pass
    """
    judged = site.run(text, "--failfast")
    assert statuses(judged) == {"It.test_1": FAILED, "It.test_2": NOT_RUN}
    assert judged.verdict.reason is Reason.TEST_FAILURES


def test_runs_inside_a_test_are_not_heard(site: Site) -> None:
    text = """
        import io, unittest
        class It(unittest.TestCase):
            def test_outer(self):
                class Inner(unittest.TestCase):
                    def test_inner(self): self.fail()
                suite = unittest.defaultTestLoader.loadTestsFromTestCase(Inner)
                self.assertFalse(unittest.TextTestRunner(stream=io.StringIO()).run(suite).wasSuccessful())
    """
    judged = site.run(text)
    assert judged.verdict.status is Status.PASSED
    assert statuses(judged) == {"It.test_outer": PASSED}


def test_the_projects_own_runner_and_result_stay(site: Site) -> None:
    site.write("settings.py", SETTINGS + "TEST_RUNNER = 'own.Runner'\n")
    own = """
        import unittest
        from django.test.runner import DiscoverRunner
        class Result(unittest.TextTestResult):
            def addSuccess(self, test):
                super().addSuccess(test)
                print("heard by", type(self).__name__)
        class Runner(DiscoverRunner):
            def get_resultclass(self): return Result
    """
    site.write("own.py", own)
    text = "import unittest\nclass It(unittest.TestCase):\n    def test_one(self): pass\n"
    site.write("test_it.py", text)
    judged, completed, _ = site.bench.attempt(site.bench.test("test_it"))
    assert judged.verdict.status is Status.PASSED
    assert "heard by Result" in completed.tail


def test_what_we_put_around_is_not_seen_by_the_tests(site: Site) -> None:
    text = """
        import sys, unittest
        class It(unittest.TestCase):
            def test_path(self):
                self.assertFalse([one for one in sys.path if "shims" in one])
                self.assertEqual(sys.argv[:2], ["manage.py", "test"])
    """
    judged = site.run(text)
    assert judged.verdict.status is Status.PASSED, judged


def test_a_retry_names_the_cases_it_is_about(site: Site) -> None:
    test, spec = site.bench.test("test_it"), site.bench.spec()
    runner = site.bench.runner()
    command = runner.command(test, replace(spec, only=("test_it.It.test_one",)))
    assert command.argv[-2:] == ("test_it.It.test_one", "--noinput")
    # What is no label cannot be asked for: then all are run again.
    command = runner.command(test, replace(spec, only=("test_it.It.test with blanks",)))
    assert command.argv[-2:] == ("test_it", "--noinput")


def test_a_folder_without_a_manage_py_is_named(site: Site) -> None:
    (site.folder / "manage.py").unlink()
    with pytest.raises(InfrastructureError, match=r"there is no manage\.py in"):
        site.bench.runner().command(site.bench.test("test_it"), site.bench.spec())


NAMES = """
    from django.db import connection
    from django.test import TestCase, TransactionTestCase
    class It(TestCase):
        def test_name(self): print("in", connection.settings_dict["NAME"])
"""


def test_a_slot_keeps_its_database_until_the_run_is_over(site: Site, tmp_path: Path) -> None:
    site.write("settings.py", SETTINGS + dedent(FILE_DATABASE))
    assert site.run(NAMES).verdict.status is Status.PASSED
    (made,) = site.folder.glob("*.sqlite3")
    assert made.name == "test_app_run_0.sqlite3"
    born = made.stat().st_ino
    assert site.run(NAMES).verdict.status is Status.PASSED
    assert made.stat().st_ino == born
    home = tmp_path / "out" / "runs" / "run" / ".django"
    ledger = (home / "databases.jsonl").read_text().splitlines()
    assert {json.loads(line)["name"] for line in ledger} == {made.name}


POSTGRES = "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', %s}}\n"
REFUSED = {
    "a database's name": (POSTGRES % "'NAME': 'prod_shop'", "the database 'prod_shop' looks like production"),
    "a host": (
        "DEBUG = True\n" + POSTGRES % "'NAME': 'shop', 'HOST': 'db.prod.invalid'",
        "the host 'db.prod.invalid' looks like production",
    ),
    "an option that Django hands to the driver": (
        POSTGRES % "'NAME': 'shop', 'OPTIONS': {'host': 'db.prod.invalid'}",
        "the host 'db.prod.invalid' looks like production",
    ),
    "a host elsewhere": (
        POSTGRES % "'NAME': 'shop', 'HOST': 'db.invalid'",
        "the settings have DEBUG = False",
    ),
    "a service": (POSTGRES % "'OPTIONS': {'service': 'prod'}", "the service 'prod' looks like production"),
    "a file": (
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'prod_shop.sqlite3'}}\n",
        "the database 'prod_shop' looks like production",
    ),
}


@pytest.mark.parametrize(("settings", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_settings_that_lead_to_production_are_refused_before_a_database_is_made(
    site: Site, tmp_path: Path, settings: str, said: str
) -> None:
    site.write("settings.py", SETTINGS + settings)
    judged = site.run(NAMES)
    assert judged.verdict.reason is Reason.INFRASTRUCTURE
    assert said in (judged.verdict.message or "")
    assert "safeguards: {allow: [{" in (judged.verdict.message or "")
    assert not list((tmp_path / "out").rglob("databases.jsonl"))


def test_settings_that_are_allowed_are_tested_with(site: Site) -> None:
    database = (
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'prod_shop.sqlite3'}}\n"
    )
    site.write("settings.py", SETTINGS + database + "CONCURRENT_TEST_CONFIG = {'allow': ['prod_shop']}\n")
    assert site.run(NAMES).verdict.status is Status.PASSED


def test_a_variable_that_says_production_is_refused_inside_django(site: Site) -> None:
    site.write("settings.py", SETTINGS + dedent(FILE_DATABASE))
    site.write("test_it.py", NAMES)
    judged = site.bench.run("test_it", env={"APP_ENV": "production"})
    assert judged.verdict.reason is Reason.INFRASTRUCTURE
    assert "APP_ENV: the settings 'production' look like production" in (judged.verdict.message or "")


def test_a_database_that_is_not_for_tests_is_not_replaced(site: Site) -> None:
    site.bench = replace(site.bench, factory=lambda spec: DjangoRunner(replace(spec, slot_databases=False)))
    site.write("settings.py", SETTINGS + dedent(FILE_DATABASE).replace("test_app.sqlite3", "app.sqlite3"))
    kept = site.folder / "app.sqlite3"
    kept.write_bytes(b"somebody's work")
    judged = site.run(NAMES)
    assert judged.verdict.reason is Reason.INFRASTRUCTURE
    assert "the test database 'app' is not called test_" in (judged.verdict.message or "")
    assert kept.read_bytes() == b"somebody's work"


def test_a_database_that_a_test_emptied_or_died_over_is_made_anew(site: Site) -> None:
    site.write("settings.py", SETTINGS + dedent(FILE_DATABASE))
    emptied = NAMES + "    class Flushing(TransactionTestCase):\n        def test_it(self): pass\n"
    died = NAMES + "        def test_z(self):\n            import os\n            os._exit(0)\n"
    for text in (emptied, died):
        site.run(text)
        (made,) = site.folder.glob("*.sqlite3")
        made.write_bytes(b"whatever it holds")
        assert site.run(NAMES).verdict.status is Status.PASSED

"""Projects that make the world another one before they import: warm starts report what cold ones do."""

from pathlib import Path
from typing import Any

import pytest
from support.project import Project
from warm.warm_world import Attempts, interpreter, planned, run

pytestmark = pytest.mark.slow

PACKAGES = {
    "payments.py": "import os, gateway\nMODE = os.environ.get('PAYMENTS_MODE', 'live')\n",
    "gateway.py": "PLACE = 'installed'\n",
    "scratch.py": """
        import atexit, shutil, tempfile
        FOLDER = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, FOLDER)
        """,
    "greedy.py": "import os\nALL = dict(os.environ)\n",
    "checks.py": "def check(one):\n    assert one == 1\n",
    "outer.py": "import sys, types\nsys.modules['inner'] = types.SimpleNamespace(PLACE='installed')\n",
}
TEST = """
    import os
    import payments, gateway
    def test_payments():
        assert (payments.MODE, str(payments.gateway.PLACE)) == {expected}
"""
STORIES: dict[str, tuple[dict[str, str], str, str]] = {
    "a variable is set": (
        {"conftest.py": "import os\nos.environ['PAYMENTS_MODE'] = 'strict'\nimport payments"},
        "('strict', 'installed')",
        "the project sets PAYMENTS_MODE, which payments reads at its import",
    ),
    "a stand-in takes the place of a module": (
        {
            "conftest.py": "import sys, types\nsys.modules['gateway'] = types.SimpleNamespace(PLACE='a stand-in')"
        },
        "('live', 'a stand-in')",
        "the project puts something else in the place of gateway",
    ),
}


def attempts(
    project: Project, files: dict[str, str], test: str, *arguments: str, beside: dict[str, str] | None = None
) -> Attempts:
    """The second run of six files alike and of what lies beside them: the first has told what is imported."""
    python = interpreter(project.root / "python", PACKAGES)
    names = [f"t/test_{number}.py" for number in range(6)]
    project.write({f"t/{name}": text for name, text in files.items()})
    project.write({**dict.fromkeys(names, test), **(beside or {})})
    tests = {Path(name).stem: name for name in [*names, *(beside or {})]}
    planned(project, python, {name: path for name, path in tests.items() if path.endswith(".py")})
    first, second = run(project, *arguments, fresh=True), run(project, *arguments)
    assert set(first.run.ends.values()) == {"passed"}, first.run.stdout
    return second


@pytest.mark.parametrize(("files", "expected", "why"), STORIES.values(), ids=STORIES.keys())
def test_who_changes_what_is_imported_gets_what_a_cold_start_gets(
    project: Project, files: dict[str, str], expected: str, why: str
) -> None:
    found = attempts(project, files, TEST.format(expected=expected))
    assert set(found.run.ends.values()) == {"passed"}, found.run.stdout
    ways = [way for way, _ in found.chosen]
    assert "warm" in ways, "the others of its packages are imported ahead all the same"
    assert why in str(found.chosen)


ODD = {
    "a variable": (
        {"conftest.py": "import os\nos.environ['PAYMENTS_MODE'] = 'strict'"},
        "('strict', 'installed')",
        "the project sets PAYMENTS_MODE",
    ),
    "a folder before the installed ones": (
        {
            "conftest.py": "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'doubles'))",
            "doubles/gateway.py": "PLACE = 'a double'",
        },
        "('live', 'a double')",
        "which has another gateway",
    ),
    "a conftest.py that stands on what it has set": (
        {
            "conftest.py": """
                import os
                os.environ['PAYMENTS_MODE'] = 'strict'
                import payments
                assert payments.MODE == 'strict'
            """
        },
        "('strict', 'installed')",
        "the project sets PAYMENTS_MODE",
    ),
    "a conftest.py that starts what only one can be": (
        {
            "conftest.py": """
                import atexit, os, subprocess, sys
                os.mkdir("only-one")
                atexit.register(os.rmdir, "only-one")
                os.environ["PAYMENTS_MODE"] = "strict"
                lock = "import fcntl, signal; file = open('lock', 'w'); fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)"
                words = [sys.executable, "-c", f"{lock}; print(flush=True); signal.pause()"]
                child = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
                assert child.stdout.readline(), "there is another"
                def pytest_sessionfinish():
                    child.kill()
                    child.wait()
            """
        },
        "('strict', 'installed')",
        "the project sets PAYMENTS_MODE",
    ),
}


@pytest.mark.parametrize(("files", "expected", "why"), ODD.values(), ids=ODD.keys())
def test_what_no_recorded_attempt_knew_the_fork_finds_out_itself(
    project: Project, files: dict[str, str], expected: str, why: str
) -> None:
    project.write({f"t/zoo/{name}": text for name, text in files.items()})
    odd = {"t/zoo/test_zoo.py": TEST.format(expected=expected)}
    found = attempts(project, {}, TEST.format(expected="('live', 'installed')"), beside=odd)
    assert found.run.ends["p/test_zoo"] == "passed", found.run.stdout
    told: Any = [(case["id"], case["status"]) for case in found.run.tests["p/test_zoo"]["cases"]]
    assert told == [("t/zoo/test_zoo.py::test_payments", "passed")], "once, though it was started twice"
    assert why in str(found.chosen)


def test_a_file_that_stands_on_what_it_has_set_is_collected(project: Project) -> None:
    test = TEST.format(expected="('live', 'installed')")
    strict = "import os\nos.environ['PAYMENTS_MODE'] = 'strict'\nimport payments\nassert payments.MODE == 'strict'\n"
    odd = {"t/zoo/test_zoo.py": f"{strict}def test_payments(): pass\n"}
    found = attempts(project, {}, test, "--warm", "on", beside=odd)
    assert found.run.ends["p/test_zoo"] == "passed", found.run.stdout
    assert "the project sets PAYMENTS_MODE" in str(found.chosen)


REWRITTEN = "import pytest\npytest.register_assert_rewrite('checks')\nimport checks"
CHECKED = """
    import checks, pytest
    def test_the_message():
        with pytest.raises(AssertionError) as caught:
            checks.check([1])
        assert ("[1] == 1" in str(caught.value)) is {rewritten}
"""


@pytest.mark.parametrize("rewritten", [True, False])
def test_pytest_rewrites_the_assertions_that_it_is_asked_to(project: Project, *, rewritten: bool) -> None:
    project.write({"pytest.ini": "[pytest]\nfilterwarnings = error\n"})
    project.write({"zoo/conftest.py": REWRITTEN if rewritten else "import checks"})
    odd = {"zoo/test_zoo.py": CHECKED.format(rewritten=rewritten)}
    others = {} if rewritten else {"conftest.py": REWRITTEN}
    found = attempts(project, others, CHECKED.format(rewritten=not rewritten), beside=odd)
    assert set(found.run.ends.values()) == {"passed"}, found.run.stdout
    assert "the assertions of checks rewritten" in str(found.chosen)


def test_what_no_server_can_do_without_is_not_tried_for_ever(project: Project) -> None:
    stand_in = """
        import os, outer, sys, types
        sys.modules['inner'] = types.SimpleNamespace(PLACE='a stand-in')
        with open(os.path.join(os.environ["E2E_OUTPUT_DIR"], "starts"), "a") as file:
            file.write("x")
    """
    test = "import inner\ndef test_inner():\n    assert inner.PLACE == 'a stand-in'\n"
    found = attempts(project, {"conftest.py": stand_in}, test, "--workers", "1", "--warm", "on")
    assert set(found.run.ends.values()) == {"passed"}, found.run.stdout
    starts = [found.file(f"test_{number}", "starts") for number in range(6)]
    assert starts == ["xx", "x", "x", "x", "x", "x"], (
        "one is enough to learn that the next would be no better"
    )
    cold = [why for way, why in found.chosen if way == "cold"]
    assert all("the project puts something else in the place of inner" in why for why in cold), cold


def test_what_an_import_leaves_on_the_disk_is_not_shared(project: Project) -> None:
    test = "import os, scratch\ndef test_scratch():\n    assert os.path.isdir(scratch.FOLDER)\n"
    found = attempts(project, {}, test)
    assert set(found.run.ends.values()) == {"passed"}, found.run.stdout
    assert "scratch makes a folder" in str(found.chosen)


def test_who_reads_the_whole_environment_reads_the_attempts_own(project: Project) -> None:
    files = {"conftest.py": "import os\nos.environ['SHOP'] = 'open'"}
    test = "import greedy\ndef test_greedy():\n    assert greedy.ALL['SHOP'] == 'open'\n"
    found = attempts(project, files, test)
    assert set(found.run.ends.values()) == {"passed"}, found.run.stdout


def test_what_a_test_imports_itself_sees_what_the_test_has_prepared(project: Project) -> None:
    test = """
        def test_strict(monkeypatch):
            monkeypatch.setenv("PAYMENTS_MODE", "strict")
            import payments
            assert payments.MODE == "strict"
        """
    found = attempts(project, {}, test)
    assert set(found.run.ends.values()) == {"passed"}, found.run.stdout
    assert [way for way, _ in found.chosen] == ["warm"]

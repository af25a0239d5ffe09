"""How pytest is started, and what its endings mean."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.execute import Bench

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.model.outcomes import CaseStatus, Reason, Status
from e2e_orchestrator.runners.pytest import PLUGIN_FOLDER, PytestRunner

BARE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    root = tmp_path / "project"
    root.mkdir()
    (root / "pytest.ini").write_text("[pytest]\n")
    return Bench(
        factory=PytestRunner, kind="pytest", root=root, output=tmp_path / "out", python=sys.executable
    )


def interpreter(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.symlink_to(sys.executable)
    return path


class TestCommand:
    def test_it_runs_python_m_pytest_on_the_target_with_its_arguments_last(self, bench: Bench) -> None:
        spec = bench.spec()
        command = bench.runner().command(bench.test("tests/test_a.py::test_b", args=("-x", "-k", "c")), spec)
        assert command.argv[:3] == (sys.executable, "-m", "pytest")
        assert command.argv[-4:] == ("tests/test_a.py::test_b", "-x", "-k", "c")
        assert f"--json-report-file={spec.folder / 'report.json'}" in command.argv
        assert "PYTEST_ADDOPTS" not in command.env

    def test_the_plugins_folder_comes_before_the_callers_python_path(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONPATH", "/callers")
        paths = [
            bench.runner().command(bench.test("a.py", env=env), bench.spec()).env["PYTHONPATH"]
            for env in ({}, {"PYTHONPATH": "/own"}, {"PYTHONPATH": ""})
        ]
        assert paths == [
            f"{PLUGIN_FOLDER}{os.pathsep}/callers",
            f"{PLUGIN_FOLDER}{os.pathsep}/own",
            str(PLUGIN_FOLDER),
        ]

    @pytest.mark.parametrize("name", ["PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"])
    def test_what_pytest_is_told_by_a_variable_makes_another_warm_start(
        self, bench: Bench, name: str
    ) -> None:
        plain, told = (
            bench.runner().command(bench.test("a.py", env=env), bench.spec()).warm
            for env in ({name: ""}, {name: "xdist"})
        )
        assert plain is not None
        assert told is not None
        assert plain.alike != told.alike

    def test_nothing_but_the_plugin_can_be_imported_from_its_folder(self) -> None:
        found = [one.name for one in PLUGIN_FOLDER.iterdir() if one.name != "__pycache__"]
        assert found
        assert all(name.startswith("e2e_orchestrator_") for name in found)

    def test_the_projects_own_environment_is_used_before_ours(self, bench: Bench) -> None:
        bench.python = None
        below = bench.root / "service"
        below.mkdir()
        chosen = []
        for where in (None, bench.root, below):
            expected = interpreter(where / ".venv" / "bin" / "python") if where else Path(sys.executable)
            command = bench.runner().command(bench.test("a.py", cwd=below), bench.spec())
            chosen.append(command.argv[0] == str(expected))
        assert chosen == [True, True, True]

    def test_a_relative_interpreter_belongs_to_the_root_and_a_name_to_the_path(self, bench: Bench) -> None:
        own = interpreter(bench.root / "env" / "bin" / "python")
        bench.python = "env/bin/python"
        assert bench.runner().command(bench.test("a.py"), bench.spec()).argv[0] == str(own)
        bench.python = "python"
        env = {"PATH": str(own.parent)}
        assert bench.runner().command(bench.test("a.py", env=env), bench.spec()).argv[0] == str(own)

    @pytest.mark.parametrize("python", ["/nowhere/bin/python", "no-such-python", "missing/bin/python"])
    def test_an_interpreter_that_is_not_there_is_named_with_what_to_do(
        self, bench: Bench, python: str
    ) -> None:
        bench.python = python
        with pytest.raises(InfrastructureError, match=python) as caught:
            bench.runner().command(bench.test("a.py"), bench.spec())
        assert "runners.bench.python" in str(caught.value)


class TestMissingPackages:
    @pytest.fixture
    def python(self, tmp_path: Path) -> Path:
        """An interpreter without any package."""
        folder = tmp_path / "venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        return folder / "bin" / "python"

    def test_an_interpreter_without_pytest_is_an_infrastructure_failure(
        self, bench: Bench, python: Path
    ) -> None:
        bench.python = str(python)
        verdict = bench.run("test_a.py").verdict
        assert verdict.reason is Reason.INFRASTRUCTURE
        assert f"{python} -m pip install pytest" in (verdict.message or "")

    def test_a_pytest_that_cannot_be_loaded_is_a_crash_that_says_why(
        self, bench: Bench, python: Path
    ) -> None:
        (site,) = python.parents[1].glob("lib/python*/site-packages")
        (site / "pytest.py").write_text("raise RuntimeError('broken installation')\n")
        bench.python = str(python)
        verdict = bench.run("test_a.py").verdict
        assert verdict.reason is Reason.CRASH
        assert "broken installation" in (verdict.message or "")

    def test_the_report_plugin_is_named_where_it_is_missing(self, bench: Bench, python: Path) -> None:
        (site,) = python.parents[1].glob("lib/python*/site-packages")
        ours = Path(pytest.__file__).parents[1]
        for name in ("pytest", "_pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments"):
            (site / name).symlink_to(ours / name)
        bench.python = str(python)
        (bench.root / "test_a.py").write_text("def test_a(): pass\n")
        verdict = bench.run("test_a.py").verdict
        assert verdict.reason is Reason.USAGE_ERROR
        assert f"{python} -m pip install pytest-json-report" in (verdict.message or "")


class TestJudgement:
    def run(self, bench: Bench, text: str, *args: str, name: str = "test_a.py"):
        (bench.root / name).write_text(text)
        return bench.attempt(bench.test(name, args=args, env=BARE))

    def test_a_report_is_attached_for_others_to_copy(self, bench: Bench) -> None:
        judged, _, spec = self.run(bench, "def test_a(): pass\n")
        (report,) = judged.attachments
        assert (report.name, report.content_type) == ("report", "application/json")
        assert json.loads((spec.output_root / report.path).read_bytes())["summary"]["passed"] == 1

    @pytest.mark.parametrize(
        ("text", "args", "reason", "words"),
        [
            pytest.param("def broken(:\n", (), Reason.COLLECTION_ERROR, "SyntaxError", id="a syntax error"),
            pytest.param("", ("--nonsense",), Reason.USAGE_ERROR, "--nonsense", id="an unknown option"),
            pytest.param("", ("nowhere.py",), Reason.USAGE_ERROR, "nowhere.py", id="a missing file"),
            pytest.param("raise SystemExit(0)\n", (), Reason.CRASH, "SystemExit", id="an exit at import"),
            pytest.param(
                "def test_a(): pass\n",
                ("-k", "other"),
                Reason.ALL_SKIPPED,
                "deselected",
                id="everything deselected",
            ),
            pytest.param(
                "import pytest\npytest.skip('not here', allow_module_level=True)\n",
                (),
                Reason.ALL_SKIPPED,
                "not here",
                id="a module that skips itself",
            ),
            pytest.param(
                "def test_a(): pass\n",
                ("--collect-only",),
                Reason.EVIDENCE_MISSING,
                "1 of 1",
                id="collecting only",
            ),
            pytest.param(
                "import os, pytest\ndef test_a(): pass\ndef test_b(): os._exit(3)\n",
                (),
                Reason.CRASH,
                "test_b",
                id="an exit in the middle",
            ),
        ],
    )
    def test_each_ending_has_its_reason_and_says_it(
        self, bench: Bench, text: str, args: tuple[str, ...], reason: Reason, words: str
    ) -> None:
        judged, completed, _ = self.run(bench, text, *args)
        assert judged.verdict.reason is reason, completed.tail
        assert words in (judged.verdict.message or "")

    def test_an_error_in_pytest_itself_shows_where(self, bench: Bench) -> None:
        (bench.root / "conftest.py").write_text(
            "def pytest_runtest_protocol(item):\n    raise RuntimeError('a hook broke')\n"
        )
        judged, _, _ = self.run(bench, "def test_a(): pass\n")
        assert judged.verdict.reason is Reason.CRASH
        assert "a hook broke" in (judged.verdict.message or "")

    def test_an_exit_status_that_a_plugin_raised_is_not_green(self, bench: Bench) -> None:
        (bench.root / "conftest.py").write_text("def pytest_sessionfinish(session): session.exitstatus = 9\n")
        judged, completed, _ = self.run(bench, "def test_a(): pass\n")
        assert completed.exit_status == 9
        assert judged.verdict.reason is Reason.CRASH
        assert [case.status for case in judged.cases] == [CaseStatus.PASSED]

    def test_an_exit_status_that_a_plugin_lowered_is_not_green(self, bench: Bench) -> None:
        (bench.root / "conftest.py").write_text("def pytest_sessionfinish(session): session.exitstatus = 0\n")
        judged, completed, _ = self.run(bench, "def test_a(): assert False\n")
        assert completed.exit_status == 0
        assert judged.verdict.reason is Reason.TEST_FAILURES

    @pytest.mark.parametrize(
        "content", [None, b'{"tests": [', b"\xff"], ids=["missing", "cut off", "no text"]
    )
    def test_without_a_readable_report_nothing_is_green(self, bench: Bench, content: bytes | None) -> None:
        _, completed, spec = self.run(bench, "def test_a(): pass\n")
        report = spec.folder / "report.json"
        report.unlink()
        if content is not None:
            report.write_bytes(content)
        judged = bench.runner().judge(bench.test("test_a.py"), spec, completed)
        assert judged.verdict.reason is Reason.EVIDENCE_MISSING
        assert "the report" in (judged.verdict.message or "")
        assert [case.status for case in judged.cases] == [CaseStatus.PASSED]

    def test_a_report_that_knows_of_a_failure_is_believed_against_the_stream(self, bench: Bench) -> None:
        _, completed, spec = self.run(bench, "def test_a(): assert False\n")
        lines = (
            completed.events.read_text()
            .replace('"failed"', '"passed"')
            .replace('"exit_status": 1', '"exit_status": 0')
        )
        completed.events.write_text(lines)
        judged = bench.runner().judge(bench.test("test_a.py"), spec, replace(completed, exit_status=0))
        assert judged.verdict.reason is Reason.TEST_FAILURES
        assert "assert False" in (judged.cases[0].message or "")

    def test_a_report_that_lacks_a_case_is_not_enough(self, bench: Bench) -> None:
        _, completed, spec = self.run(bench, "def test_a(): pass\ndef test_b(): pass\n")
        report = spec.folder / "report.json"
        raw = json.loads(report.read_bytes())
        raw["tests"].pop()
        report.write_text(json.dumps(raw))
        verdict = bench.runner().judge(bench.test("test_a.py"), spec, completed).verdict
        assert verdict.reason is Reason.EVIDENCE_MISSING
        assert "1 of 2 cases" in (verdict.message or "")

    def test_ids_belong_to_the_root_that_pytest_chose(self, bench: Bench) -> None:
        deep = bench.root / "deep"
        deep.mkdir()
        judged, _, _ = self.run(bench, "def test_a(): pass\n", name="deep/test_deep.py")
        assert judged.verdict.status is Status.PASSED
        assert [(case.id, case.file, case.line) for case in judged.cases] == [
            ("deep/test_deep.py::test_a", "deep/test_deep.py", 1)
        ]

"""The scripts set up what is missing, say in one line what they cannot, and leave nothing running."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from support.project import processes

ROOT = Path(__file__).parents[1]
SCRIPTS = ["scripts/bench", "scripts/demo", "scripts/test", "scripts/check", ".ci/run"]
TOOLS = ["bash", "cat", "cksum", "dirname", "head", "id", "rm"]


def run(
    *command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=env if env is not None else os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def in_setup(code: str, *, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a line of shell beside the functions of the set-up."""
    return run("bash", "-c", f"set -euo pipefail; source {ROOT}/scripts/lib/setup.sh; {code}", env=env)


def program(path: Path, code: str) -> None:
    path.write_text(f"#!/bin/sh\n{code}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize("script", ["bench", "demo", "test", "check"])
def test_a_script_explains_itself_and_sets_nothing_up(script: str, bare_path: Path) -> None:
    said = run(f"{ROOT}/scripts/{script}", "--help", env={"PATH": f"{bare_path}:/bin:/usr/bin"})
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.splitlines()[0].endswith(".")


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH with what every system has, and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (folder / tool).symlink_to(found)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a fresh clone as the set-up reads."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    requirements = "examples/studio/backend/requirements.txt"
    for file in ("pyproject.toml", requirements):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    return root


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_can_be_run_and_stops_at_errors(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in path.read_text(encoding="utf-8")
    assert run("bash", "-n", path).returncode == 0


class TestPython:
    @pytest.mark.parametrize("script", ["scripts/demo", "scripts/test", "scripts/check"])
    def test_one_that_is_too_old_is_named_in_one_line(
        self, script: str, checkout: Path, bare_path: Path
    ) -> None:
        program(bare_path / "python3", 'test "$1" = --version && echo "Python 3.9.2" || exit 1')
        ended = run("bash", checkout / script, env={"PATH": str(bare_path)})
        assert ended.returncode == 1
        assert ended.stderr.startswith("error: Python 3.11 or newer is needed, and PATH has Python 3.9.2; ")
        assert ended.stderr.count("\n") == 1

    def test_none_at_all_is_said_in_one_line(self, checkout: Path, bare_path: Path) -> None:
        ended = run("bash", checkout / "scripts/test", env={"PATH": str(bare_path)})
        assert ended.returncode == 1
        assert ended.stderr.startswith("error: Python 3.11 or newer is needed, and PATH has no python3; ")

    def test_a_newer_one_beside_an_old_one_is_found(self, bare_path: Path) -> None:
        program(bare_path / "python3", "exit 1")
        program(bare_path / "python3.12", "exit 0")
        assert in_setup("find_python", env={"PATH": str(bare_path)}).stdout == f"{bare_path}/python3.12\n"

    def test_the_one_that_is_asked_for_wins(self, bare_path: Path) -> None:
        program(bare_path / "python3", "exit 0")
        ended = in_setup("find_python", env={"PATH": str(bare_path), "PYTHON": sys.executable})
        assert ended.stdout == f"{sys.executable}\n"


class TestNode:
    @pytest.mark.parametrize(
        ("version", "enough"), [("18.20.4", False), ("20.14.0", False), ("20.15.0", True), ("24.1.0", True)]
    )
    def test_playwright_decides_which_is_new_enough(self, version: str, *, enough: bool) -> None:
        check = f"node() {{ command node -e \"process = {{exit: process.exit, versions: {{node: '{version}'}}}}; $2\"; }}"
        assert (in_setup(f"{check}; has_node").returncode == 0) is enough


class TestChromium:
    def test_the_one_that_is_asked_for_must_be_there(self) -> None:
        ended = in_setup("CHROMIUM_PATH=/nowhere/chromium set_up_chromium")
        assert ended.returncode == 1
        assert ended.stderr == "error: CHROMIUM_PATH is /nowhere/chromium, and there is no program\n"

    @pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
    def test_one_on_the_path_is_used(self, name: str, bare_path: Path) -> None:
        program(bare_path / name, "exit 0")
        ended = in_setup("set_up_chromium; echo $CHROMIUM_PATH", env={"PATH": str(bare_path)})
        assert ended.stdout == f"{bare_path}/{name}\n"


class TestContainers:
    def test_what_is_missing_is_installed(self, bare_path: Path) -> None:
        env = {"PATH": str(bare_path)}
        ended = in_setup('apt_install() { echo "$@"; }; set_up_containers', env=env)
        assert (ended.stdout, ended.stderr) == ("podman podman-compose busybox-static runc\n", "")

    def test_where_it_cannot_be_one_line_says_so(self, bare_path: Path) -> None:
        ended = in_setup("apt_install() { false; }; set_up_containers", env={"PATH": str(bare_path)})
        assert ended.returncode == 0
        assert ended.stderr.startswith("Tests of services in containers may be skipped: they need podman, ")
        assert ended.stderr.count("\n") == 1

    def test_what_is_there_is_left_alone(self, bare_path: Path) -> None:
        for name in ("podman", "podman-compose", "busybox", "runc"):
            program(bare_path / name, "exit 0")
        ended = in_setup('apt_install() { echo "$@"; }; set_up_containers', env={"PATH": str(bare_path)})
        assert (ended.stdout, ended.stderr) == ("", "")


class TestFreePorts:
    def test_a_port_that_nobody_uses_is_kept_and_one_in_use_is_replaced(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            socket.create_server(("127.0.0.1", 0)) as closed,
        ):
            in_use, free = taken.getsockname()[1], closed.getsockname()[1]
            closed.close()
            printed = run(
                sys.executable, ROOT / "scripts/lib/free_ports.py", str(in_use), str(free)
            ).stdout.split()
        assert printed[0] not in (str(in_use), str(free))
        assert printed[1] == str(free)


class TestLinks:
    @pytest.fixture
    def docs(self, tmp_path: Path) -> Path:
        (tmp_path / "scripts").mkdir()
        shutil.copy(ROOT / "scripts/check_docs.py", tmp_path / "scripts")
        (tmp_path / "other.md").write_text(
            "# Other\n\n## What `is` here?\n\n## Twice\n\n## Twice\n", encoding="utf-8"
        )
        return tmp_path

    @pytest.mark.parametrize(
        "link",
        [
            pytest.param("[a](other.md)", id="to a file"),
            pytest.param("[a](other.md#what-is-here)", id="to a heading in another file"),
            pytest.param("[a](other.md#twice-1)", id="to the second heading of a name"),
            pytest.param("[a](#here)", id="to a heading in the same file"),
            pytest.param("[a](scripts/)", id="to a folder"),
            pytest.param("[a](https://example.com/nothing)", id="to somewhere else"),
            pytest.param("`[a](missing.md)`", id="in code"),
            pytest.param("```\n[a](missing.md)\n```", id="in a block of code"),
        ],
    )
    def test_a_good_link_passes(self, docs: Path, link: str) -> None:
        (docs / "page.md").write_text(f"# Here\n\n{link}\n", encoding="utf-8")
        ended = run(sys.executable, docs / "scripts/check_docs.py")
        assert (ended.returncode, ended.stdout) == (0, "2 Markdown files, 0 broken links\n")

    @pytest.mark.parametrize(
        ("link", "why"),
        [
            pytest.param("[a](missing.md)", "there is no missing.md", id="to a missing file"),
            pytest.param("![a](missing.png)", "there is no missing.png", id="to a missing image"),
            pytest.param("[a][1]\n\n[1]: missing.md", "there is no missing.md", id="by reference"),
            pytest.param("[a](other.md#gone)", "other.md has no heading #gone", id="to a missing heading"),
            pytest.param("[a](#gone)", "this file has no heading #gone", id="to a missing heading here"),
        ],
    )
    def test_a_broken_link_is_named_with_its_place(self, docs: Path, link: str, why: str) -> None:
        (docs / "page.md").write_text(f"# Here\n\n{link}\n", encoding="utf-8")
        ended = run(sys.executable, docs / "scripts/check_docs.py")
        assert ended.returncode == 1
        line = 5 if "\n" in link else 3
        assert f"page.md:{line}: {why}\n" in ended.stdout


class TestSkips:
    @pytest.fixture
    def suite(self, tmp_path: Path) -> Path:
        shutil.copy(ROOT / "conftest.py", tmp_path)
        (tmp_path / "test_it.py").write_text(
            "import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('no browser')\n", encoding="utf-8"
        )
        return tmp_path

    def session(self, suite: Path, *arguments: str, required: bool) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "E2E_TEST_REQUIRE_ALL": "1" if required else ""}
        command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)
        return run(*command, cwd=suite, env=env)

    @pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["in one process", "in workers"])
    def test_a_skip_fails_the_session_where_everything_is_required(
        self, suite: Path, arguments: tuple[str, ...]
    ) -> None:
        ended = self.session(suite, *arguments, required=True)
        assert ended.returncode == pytest.ExitCode.TESTS_FAILED
        assert "test_it.py::test_b: no browser\n" in ended.stdout

    def test_a_module_that_skips_itself_fails_the_session_too(self, suite: Path) -> None:
        (suite / "test_it.py").write_text(
            "import pytest\npytest.importorskip('not_there')\n", encoding="utf-8"
        )
        assert self.session(suite, required=True).returncode == pytest.ExitCode.TESTS_FAILED

    def test_a_skip_is_allowed_elsewhere(self, suite: Path) -> None:
        assert self.session(suite, required=False).returncode == pytest.ExitCode.OK

    def test_an_expected_failure_is_no_skip(self, suite: Path) -> None:
        (suite / "test_it.py").write_text(
            "import pytest\n@pytest.mark.xfail\ndef test_a(): assert False\n", encoding="utf-8"
        )
        assert self.session(suite, required=True).returncode == pytest.ExitCode.OK


def test_the_tests_are_counted_from_the_report(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="2" errors="1" skipped="3"/></testsuites>')
    ended = run(sys.executable, ROOT / "scripts/lib/count_tests.py", report)
    assert ended.stdout == "ci: 9 tests, 3 passed, 2 failed, 1 errors, 3 skipped\n"


@pytest.mark.slow
class TestForReal:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        """Once, here: what follows is about the runs after it."""
        ended = in_setup("set_up")
        assert ended.returncode == 0, ended.stderr

    def test_a_second_set_up_has_nothing_to_do(self) -> None:
        ended = in_setup("set_up")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")

    def test_arguments_go_to_pytest(self) -> None:
        ended = run("scripts/test", "--collect-only", "-q", "tests/containers/test_workflow.py")
        assert ended.returncode == 0, ended.stderr
        assert "test_it_runs_what_anybody_can_run" in ended.stdout
        assert "test_it_follows_the_schema_of_workflows" not in ended.stdout

    def test_all_includes_the_slow_ones(self) -> None:
        ended = run("scripts/test", "--all", "--collect-only", "-q", "tests/containers/test_workflow.py")
        assert ended.returncode == 0, ended.stderr
        assert "test_it_follows_the_schema_of_workflows" in ended.stdout

    def test_a_check_by_name_is_the_only_one_that_runs(self) -> None:
        ended = run("scripts/check", "links")
        assert "--- links" in ended.stdout
        assert "--- lint" not in ended.stdout

    def test_a_check_that_does_not_exist_is_named(self) -> None:
        ended = run("scripts/check", "lynt")
        assert ended.returncode == 1
        assert "there is no check lynt; there are: lint, " in ended.stderr

    @pytest.mark.browser
    def test_the_demo_shows_three_endings_and_leaves_no_process(self) -> None:
        mark = str(uuid4())
        ended = run("scripts/demo", env={**os.environ, "E2E_TEST_MARKER": mark})
        assert ended.returncode == 0, ended.stdout + ended.stderr
        codes = [line for line in ended.stdout.splitlines() if line.startswith("exit code ")]
        assert [line.partition(":")[0] for line in codes] == ["exit code 0", "exit code 0", "exit code 1"]
        assert "26 tests passed in 6 phases" in ended.stdout + ended.stderr
        assert "1 flaky" in ended.stdout + ended.stderr
        for kind in ("passing", "flaky", "failing"):
            assert f"test-results/demo-{kind}/e2e-results.json" in ended.stdout
            assert (ROOT / f"test-results/demo-{kind}/e2e-results.json").is_file()
        assert processes(mark) == []

"""The program as a whole: which command is meant, what errors look like, and what it costs to ask."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from calling import call, write_config

from e2e_orchestrator import __version__
from e2e_orchestrator.cli import boundary
from e2e_orchestrator.cli.commands import COMMANDS
from e2e_orchestrator.cli.main import Program, program
from e2e_orchestrator.errors import ConfigError, InfrastructureError, SafeguardRefused, UsageError

HEAVY = ("pydantic", "yaml", "rich", "httpx", "asyncio")
IMPORTED = """
import sys
from e2e_orchestrator.cli.main import main
try:
    main({arguments})
finally:
    print("\\n" + " ".join(sorted(set({heavy}) & set(sys.modules))))
"""


def heavy_imports(*arguments: str) -> set[str]:
    code = IMPORTED.format(arguments=list(arguments), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_every_command_of_the_table_can_be_imported():
    context = click.Context(program)
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help


def test_the_version_and_the_help_import_nothing_heavy():
    assert heavy_imports("--version") == set()
    assert heavy_imports("--help") == set()


def test_a_plan_in_a_pipe_needs_no_rich_and_no_network(tmp_path):
    assert heavy_imports("plan", "-c", write_config(tmp_path)) == {"pydantic", "yaml"}


def test_the_version_is_said(capsys):
    assert call(capsys, "--version").out == f"e2e-orchestrate {__version__}\n"


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_the_help_is_one_page_with_every_command_and_exit_code(capsys, flag):
    page = call(capsys, flag).out
    assert all(f"\n  {name} " in page for name in COMMANDS)
    assert all(f" {code} " in page for code in (0, 1, 2, 3, 4, 5, 6, 70))
    assert len(page.splitlines()) <= 50
    assert max(map(len, page.splitlines())) <= 100


ROUTES = {
    "nothing": ([], ["run"]),
    "options only": (["--phase", "health"], ["run", "--phase", "health"]),
    "a short option": (["-v"], ["run", "-v"]),
    "the command itself": (["run", "-v"], ["run", "-v"]),
    "another command": (["plan", "--json"], ["plan", "--json"]),
    "a phase called like a command": (["--phase", "plan"], ["run", "--phase", "plan"]),
}


@pytest.mark.parametrize(("arguments", "meant"), ROUTES.values(), ids=ROUTES.keys())
def test_the_command_that_is_meant_by(arguments, meant):
    context = Program("probe").make_context("probe", list(arguments), resilient_parsing=False)
    assert [*context._protected_args, *context.args] == meant


def test_an_unknown_command_says_what_there_is(capsys):
    called = call(capsys, "pln")
    assert called.code == 2
    assert "there is no command `pln`" in called.err
    assert "did you mean `plan`?" in called.err
    assert "--phase pln" in called.err


def test_an_unknown_option_is_a_usage_error_with_the_way_to_the_help(capsys):
    called = call(capsys, "plan", "--phaze", "x")
    assert called.code == 2
    assert "'--phase'?" in called.err
    assert called.err.endswith("hint: e2e-orchestrate plan --help\n")


def test_a_command_behind_a_phase_is_put_where_it_belongs(capsys, tmp_path):
    called = call(capsys, "plan", "-c", write_config(tmp_path), "--phase", "health", "validate")
    assert called.code == 2
    assert "`validate` is a command: write it first" in called.err


def raising(error: BaseException):
    def program() -> int:
        raise error

    return program


ERRORS = {
    "a usage error": (UsageError("no such thing", hint="try this"), 2, "no such thing\nhint: try this\n"),
    "mistakes in a file": (ConfigError(["f:1:1: a", "f:2:1: b"]), 2, "f:1:1: a\nf:2:1: b\n2 mistakes\n"),
    "missing infrastructure": (InfrastructureError("no service"), 5, "no service\n"),
    "a refusal": (SafeguardRefused("production"), 6, "production\n"),
    "an interruption": (KeyboardInterrupt(), 130, ""),
    "a closed pipe": (BrokenPipeError(), 141, ""),
    "a full disk": (
        OSError(errno.ENOSPC, "No space left on device"),
        5,
        "what is printed cannot be written: No space left on device\n",
    ),
    "an exit": (click.exceptions.Exit(3), 3, ""),
}


@pytest.mark.parametrize(("error", "code", "says"), ERRORS.values(), ids=ERRORS.keys())
def test_the_boundary_ends(capfd, monkeypatch, error, code, says):
    monkeypatch.setattr(boundary, "_discard_output", lambda: None)
    assert boundary.guarded(raising(error), argv=[]) == code
    assert capfd.readouterr().err.removeprefix("e2e-orchestrate: ") == says


def test_a_bug_leaves_a_crash_log_without_the_environment(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TOKEN", "hunter2")
    assert boundary.guarded(raising(ZeroDivisionError("oops")), argv=["--phase", "x"]) == 70
    err = capsys.readouterr().err
    (log,) = tmp_path.iterdir()
    assert str(log) in err
    assert "ZeroDivisionError: oops" in err
    text = log.read_text()
    assert "Traceback" in text
    assert "['--phase', 'x']" in text
    assert "hunter2" not in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("command", [["plan"], ["schema"], ["run", "--dry-run"]], ids=" ".join)
def test_where_it_prints_may_be_full_or_gone(command, tmp_path):
    config = [] if command == ["schema"] else ["-c", write_config(tmp_path)]
    called = [sys.executable, "-m", "e2e_orchestrator", *command, *config]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(called, check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 5
    assert "what is printed cannot be written: No space left on device" in done.stderr
    reader, pipe = os.pipe()
    os.close(reader)
    gone = subprocess.run(called, check=False, stdout=pipe, stderr=subprocess.PIPE, text=True)
    os.close(pipe)
    assert gone.returncode == 141
    assert "bug" not in gone.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    config = write_config(tmp_path)
    first = subprocess.Popen(
        [sys.executable, "-m", "e2e_orchestrator", "plan", "-c", config, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first.stdout.close()
    err = first.stderr.read()
    first.stderr.close()
    assert first.wait() == 141
    assert err == ""


def test_python_m_is_the_same_program(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "e2e_orchestrator", "plan", "--json", "-c", write_config(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["project"] == "studio"

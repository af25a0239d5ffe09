import json
from pathlib import Path

import click
import pytest
from calling import CONFIG, call, write_config
from click.testing import CliRunner

from e2e_orchestrator.cli.load_plan import load_plan, settle_results
from e2e_orchestrator.cli.main import COMPLETE_VARIABLE
from e2e_orchestrator.cli.options import Reporting, Selection, run_options, selection_options
from e2e_orchestrator.cli.variadic import VariadicCommand, spread_values
from e2e_orchestrator.model.plan import Order


@click.command("probe", cls=VariadicCommand)
@selection_options
@run_options
def probe(selection: Selection, reporting: Reporting) -> None:
    """Shows what it was given."""
    probe.seen = (selection, reporting)


def given(*arguments: str, **environ: str) -> tuple[Selection, Reporting]:
    result = CliRunner().invoke(probe, arguments, env=environ, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return probe.seen


PHASES = {
    "several values after one flag": ["--phase", "health", "smoke"],
    "the flag again": ["--phase", "health", "--phase", "smoke"],
    "commas": ["--phase", "health,smoke"],
    "commas after an equals sign": ["--phase=health,smoke"],
    "up to the next option": ["--phase", "health", "smoke", "--retries", "2"],
    "up to the next short option": ["--phase", "health", "smoke", "-v"],
    "one of them twice": ["--phase", "health", "smoke", "health"],
}


@pytest.mark.parametrize("arguments", PHASES.values(), ids=PHASES.keys())
def test_phases_are_given_by(arguments):
    assert given(*arguments)[0].phase == ("health", "smoke")


@pytest.mark.parametrize("value", ["health smoke", "health,smoke", " health , smoke ", "health\nsmoke"])
def test_the_environment_gives_phases_with_blanks_or_commas(value):
    assert given(E2E_ORCHESTRATE_PHASE=value)[0].phase == ("health", "smoke")


def test_a_flag_wins_over_the_environment():
    selection, _ = given(
        "--phase", "full", "--retries", "1", E2E_ORCHESTRATE_PHASE="x", E2E_ORCHESTRATE_RETRIES="9"
    )
    assert (selection.phase, selection.retries) == (("full",), 1)


def test_every_option_has_its_variable():
    for param in probe.params:
        longest = max(param.opts, key=len)
        assert param.envvar == f"E2E_ORCHESTRATE_{longest.removeprefix('--').replace('-', '_').upper()}"


def test_without_options_everything_is_left_to_the_file():
    assert given() == (Selection(), Reporting())


def test_all_options_at_once():
    selection, reporting = given(
        *(
            "-c",
            "x.yaml",
            "--phase",
            "a",
            "--test",
            "b*",
            "c/d",
            "--tag",
            "e",
            "--workers",
            "auto",
            "--retries",
            "0",
        ),
        *("--timeout", "1h30m", "--no-services", "--report", "json=out.json", "--output", "out", "-vv"),
        *("--color", "never", "--shard", "2/3", "--order", "file", "--durations", "d.json"),
    )
    assert selection == Selection(
        config=Path("x.yaml"),
        phase=("a",),
        test=("b*", "c/d"),
        tag=("e",),
        workers="auto",
        retries=0,
        timeout=5400.0,
        no_services=True,
        shard=(2, 3),
        order=Order.FILE,
        durations=Path("d.json"),
    )
    assert reporting == Reporting(report=("json=out.json",), output=Path("out"), color="never", verbose=2)
    assert reporting.verbosity == 1


def test_quiet_wins_over_verbose():
    assert given("-v", "-q")[1].verbosity == -1


REFUSED = {
    "a phase option without a value": (["--phase"], "--phase needs a value"),
    "a phase option before another": (["--phase", "--retries", "1"], "--phase needs a value"),
    "a phase option with nothing behind the equals sign": (["--phase="], "--phase needs a value"),
    "a duration": (["--timeout", "5x"], "`5x` is not a duration (hint: write seconds (90) or 250ms"),
    "workers": (["--workers", "0"], "`0` is not a number of workers (hint: write auto"),
    "retries": (["--retries", "-1"], "-1 is not in the range"),
    "a shard": (["--shard", "4/3"], "`4/3` is not a shard (hint: write 1/3 for the first of three"),
    "an order": (["--order", "random"], "'random' is not one of 'longest', 'file'"),
    "a stray word": (["--", "stray"], "unexpected extra argument"),
}


@pytest.mark.parametrize(("arguments", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses(arguments, says):
    result = CliRunner().invoke(probe, arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


def test_a_double_dash_ends_the_values():
    assert spread_values(["--phase", "a", "--", "b"], options={"--phase"}) == (
        ["--phase", "a", "--", "b"],
        [],
    )


def test_the_command_line_wins_over_the_file_and_the_file_over_the_default(tmp_path):
    path = Path(write_config(tmp_path, "workers: 7\ntimeout: 5m\noutput: out\nreport: [json]\n" + CONFIG))
    from_file = load_plan(Selection(config=path), environ={})
    from_flags = load_plan(Selection(config=path, workers=2, timeout=9.0, retries=3), environ={})
    assert (from_file.plan.workers, from_file.plan.timeout) == (7, 300.0)
    assert (from_flags.plan.workers, from_flags.plan.timeout) == (2, 9.0)
    assert {test.retries.max for test in from_flags.plan.tests} == {3}
    results = settle_results(Reporting(), from_file.config)
    assert (results.output, results.reporters, results.asked) == (tmp_path / "out", ("json",), False)
    results = settle_results(Reporting(output=Path("o"), report=("slack",)), from_file.config)
    assert (results.output, results.reporters, results.asked) == (Path.cwd() / "o", ("slack",), True)


def test_reporters_that_nobody_asked_for_are_known_as_such(tmp_path):
    loaded = load_plan(Selection(config=Path(write_config(tmp_path))), environ={})
    results = settle_results(Reporting(), loaded.config)
    assert results.output == Path.cwd() / "test-results"
    assert (results.reporters, results.asked) == (("console", "json"), False)


COMPLETIONS = {
    "a command": ("pl", ["plan"]),
    "the first phase": ("plan -c {config} --phase he", ["health"]),
    "the second phase": ("plan -c {config} --phase health ba", ["backend_smoke"]),
    "not what is there already": ("plan -c {config} --phase health ", ["backend_smoke", "full", "all"]),
    "behind a comma": ("plan -c {config} --phase health,b", ["health,backend_smoke"]),
    "tests of the chosen phases": ("plan -c {config} --phase full --test ", ["all_of_it", "full/all_of_it"]),
    "tags": ("plan -c {config} --tag ", ["infra"]),
    "options": ("plan --ph", ["--phase"]),
    "options of the default command": ("--ph", ["--phase"]),
    "the second phase of the default command": ("-c {config} --phase health ba", ["backend_smoke"]),
    "reporters": ("--report console j", ["json", "junit"]),
    "nothing from a file that is not there": ("plan -c nowhere.yaml --phase ", []),
    "nothing from a broken file": ("plan -c {broken} --phase ", []),
    "nothing for the value of another option": ("plan --retries 1 ", []),
}


@pytest.fixture
def complete(capsys, monkeypatch):
    def completed(shell: str, words: str) -> list[str]:
        line = f"e2e-orchestrate {words}"
        before, _, current = line.rpartition(" ")
        monkeypatch.setenv(COMPLETE_VARIABLE, f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", before if shell == "fish" else line)
        monkeypatch.setenv("COMP_CWORD", current if shell == "fish" else str(len(line.split(" ")) - 1))
        called = call(capsys)
        assert called.err == ""
        return [word for word in called.out.split("\n") if word]

    return completed


@pytest.mark.parametrize(("words", "expected"), COMPLETIONS.values(), ids=COMPLETIONS.keys())
def test_bash_completes(complete, tmp_path, words, expected):
    broken = tmp_path / "broken.yaml"
    broken.write_text("phases: [")
    found = complete("bash", words.format(config=write_config(tmp_path), broken=broken))
    assert [line.partition(",")[2] for line in found] == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete_the_second_value_too(complete, tmp_path, shell):
    words = f"plan -c {write_config(tmp_path)} --phase health ba"
    assert any("backend_smoke" in line for line in complete(shell, words))


def test_completion_survives_undefined_variables(complete, tmp_path):
    config = write_config(tmp_path, "env: {A: '${TOKEN:?needed}', B: '${B:-x}'}\n" + CONFIG)
    assert complete("bash", f"plan -c {config} --phase h") == ["plain,health"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_calls_this_program(capsys, shell):
    called = call(capsys, "completion", shell)
    assert called.code == 0
    assert f"{COMPLETE_VARIABLE}={shell}_complete" in called.out


def test_completion_says_where_to_put_it(capsys):
    assert "~/.bashrc" in call(capsys, "completion").out


def test_the_plan_follows_the_options(capsys, tmp_path):
    called = call(
        capsys, "plan", "--json", "-c", write_config(tmp_path), "--phase", "full", "health", "--retries", "1"
    )
    plan = json.loads(called.out)
    assert [phase["name"] for phase in plan["phases"]] == ["health", "full"]


EMPTY = {
    "--output": (("run", "--output", ""), "no folder is named"),
    "--output of history": (("history", "--output", ""), "no folder is named"),
    "--rerun": (("run", "--rerun", ""), "no run is named"),
    "replay": (("replay", ""), "no run is named"),
    "merge": (("merge", ""), "no run is named"),
}


@pytest.mark.parametrize(("words", "said"), EMPTY.values(), ids=EMPTY.keys())
def test_a_variable_without_a_value_names_nothing(capsys, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path, CONFIG)
    (tmp_path / "e2e-results.json").write_text("{}")
    called = call(capsys, *words)
    assert called.code == 2
    assert said in called.err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["e2e-results.json", "phases.yaml"]

import pytest
from calling import CONFIG, call, write_config


def test_a_right_file_is_counted(capsys, tmp_path):
    config = write_config(tmp_path)
    called = call(capsys, "validate", "-c", config)
    assert called.code == 0
    assert called.out.splitlines()[0] == f"{config} is right: 3 phases, 4 tests, 1 runner, 1 service"


def test_a_wrong_file_is_told_with_all_mistakes_and_code_2(capsys, tmp_path):
    config = write_config(tmp_path, "timeout: x\nenv: {A: no}\n" + CONFIG)
    called = call(capsys, "validate", "-c", config)
    assert (called.code, called.out) == (2, "")
    first, second, count = called.err.splitlines()
    assert first.startswith(f"{config}:1:10: timeout: `x` is not a duration")
    assert second.startswith(f"{config}:2:10: env.A: must be text")
    assert count == "2 mistakes"


def test_missing_targets_are_told_with_their_place(capsys, tmp_path):
    config = write_config(tmp_path, CONFIG.replace("kind: command", "kind: pytest"))
    called = call(capsys, "validate", "-c", config)
    assert called.code == 2
    assert f"{config}:7:64: phases.health.tests.api: there is no `check api`" in called.err


def test_variables_come_from_the_environment(capsys, tmp_path, monkeypatch):
    config = write_config(tmp_path, "env: {A: '${TOKEN}'}\n" + CONFIG)
    assert "the variable TOKEN is not defined" in call(capsys, "validate", "-c", config).err
    monkeypatch.setenv("TOKEN", "hunter2")
    called = call(capsys, "validate", "-c", config)
    assert called.code == 0
    assert "hunter2" not in called.out


EVERYWHERE = (("validate",), ("plan",), ("run", "--dry-run"), ("run",))


@pytest.mark.parametrize("command", EVERYWHERE, ids=" ".join)
def test_what_is_no_command_line_is_a_mistake_of_the_file(capsys, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    config = write_config(
        tmp_path, CONFIG.replace('"check api"', '"echo \'x"').replace("{login: l}", "{login: \"''\"}")
    )
    called = call(capsys, *command, "-c", config)
    assert called.code == 2
    first, second, *_ = called.err.splitlines()
    assert first.startswith(f"{config}:7:64: phases.health.tests.api: cannot be split into words: No closing")
    assert "(hint: close the quotes" in first
    assert second.startswith(f"{config}:8:105: phases.backend_smoke.tests.login: is an empty command line")
    assert not (tmp_path / "test-results").exists()


@pytest.mark.parametrize("command", EVERYWHERE, ids=" ".join)
def test_a_second_command_that_no_shell_would_start_is_a_mistake_of_the_file(
    capsys, tmp_path, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    called = call(
        capsys, *command, "-c", write_config(tmp_path, CONFIG.replace('"check api"', '"echo api && false"'))
    )
    assert called.code == 2
    assert "7:64: phases.health.tests.api: `&&` means something to a shell" in called.err
    assert not (tmp_path / "test-results").exists()


@pytest.mark.parametrize("command", EVERYWHERE, ids=" ".join)
def test_every_unknown_reporter_of_the_file_is_told_with_its_place(capsys, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, "report: [consle, json, 'slakc=x']\n" + CONFIG)
    called = call(capsys, *command, "-c", config)
    assert called.code == 2
    first, second, *_ = called.err.splitlines()
    assert first.startswith(
        f"{config}:1:10: report[0]: unknown reporter 'consle' (hint: did you mean 'console'?"
    )
    assert second.startswith(
        f"{config}:1:24: report[2]: unknown reporter 'slakc' (hint: did you mean 'slack'?"
    )
    assert not (tmp_path / "test-results").exists()


def test_a_list_of_the_command_line_does_not_put_the_files_right(capsys, tmp_path):
    config = write_config(tmp_path, "report: [consle]\n" + CONFIG)
    assert call(capsys, "run", "--dry-run", "--report", "console", "-c", config).code == 2


def test_an_installed_reporter_is_known_and_loaded(capsys, tmp_path, monkeypatch):
    config = write_config(tmp_path, "report: [console, diary]\n" + CONFIG)
    package = tmp_path / "site" / "diary-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: diary\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[e2e_orchestrator.reporters]\ndiary = diary:Diary\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    called = call(capsys, "validate", "-c", config)
    assert called.code == 2
    assert "report[1]: reporter 'diary' (diary:Diary) cannot be loaded: ModuleNotFoundError" in called.err
    (tmp_path / "site" / "diary.py").write_text("class Diary: ...\n")
    assert call(capsys, "validate", "-c", config).code == 0


def test_all_unknown_reporters_of_the_command_line_are_told_at_once(capsys, tmp_path):
    config = write_config(tmp_path)
    called = call(capsys, "run", "--dry-run", "--report", "consle,json,slakc", "-c", config)
    assert called.code == 2
    assert "unknown reporter 'consle'\nhint: did you mean 'console'?" in called.err
    assert "unknown reporter 'slakc'\nhint: did you mean 'slack'?" in called.err

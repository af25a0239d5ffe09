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

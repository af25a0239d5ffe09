import json
from pathlib import Path

import pytest
from calling import CONFIG, call, write_config

PLAIN = """\
studio: 3 phases, 4 tests, 2 workers, at most 10m
service  db: db --port 1, ready at localhost:1 within 1m
checked  localhost: looks fine (services.db.ready.tcp)

#  test       runner   target     timeout  retries     tags

health (parallel, required, at most 1m)
1  api        backend  check api  -        2 after 5s
2  redis      backend  r          -        2 after 5s  infra

backend_smoke (one after the other, optional, at most 2m)
3  login      backend  l          -        0

full (parallel, required, at most 2m): Everything.
4  all_of_it  backend  f          20s      2 after 5s
"""


def test_in_a_pipe_it_is_aligned_text(capsys, tmp_path):
    called = call(capsys, "plan", "-c", write_config(tmp_path), "--workers", "2")
    assert (called.code, called.out) == (0, PLAIN)


def test_what_is_left_out_is_said_with_the_reason(capsys, tmp_path):
    called = call(capsys, "plan", "-c", write_config(tmp_path), "--phase", "health", "full", "--tag", "infra")
    assert called.out.endswith(
        "left out\n"
        "  health/api: not selected by --tag\n"
        "  backend_smoke: not selected by --phase\n"
        "  full: no test selected by --tag\n"
    )


def test_on_a_terminal_it_is_a_table_with_the_same_words(capsys, tmp_path):
    config = write_config(
        tmp_path, CONFIG.replace("check api", "'[bold]x'").replace("\"'[bold]x'\"", "'[bold]x'")
    )
    called = call(capsys, "plan", "-c", config, "--color", "always", "--phase", "health")
    assert "\x1b[" in called.out
    for word in (
        "health (parallel, required, at most 1m)",
        "api",
        "[bold]x",
        "2 after 5s",
        "full: not selected",
    ):
        assert word in called.out


def test_no_color_leaves_a_terminal_without_bold_and_dim(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    called = call(capsys, "plan", "-c", write_config(tmp_path))
    assert called.code == 0
    assert "\x1b" not in called.out


def test_a_column_in_which_no_test_says_anything_is_left_out(capsys, tmp_path):
    called = call(capsys, "plan", "-c", write_config(tmp_path), "--test", "backend_smoke/login")
    (heading,) = [line for line in called.out.splitlines() if line.startswith("#")]
    assert heading.split() == ["#", "test", "runner", "target", "retries"]


def test_without_services_none_is_shown(capsys, tmp_path):
    assert "service" not in call(capsys, "plan", "-c", write_config(tmp_path), "--no-services").out


def test_for_programs_it_is_json_that_shows_no_value_of_an_environment(capsys, tmp_path):
    config = write_config(tmp_path, "env: {TOKEN: hunter2}\n" + CONFIG)
    called = call(capsys, "plan", "-c", config, "--json", "--phase", "full", "--retries", "1")
    plan = json.loads(called.out)
    assert "hunter2" not in called.out
    assert (plan["schema"], plan["project"], plan["root"]) == (1, "studio", str(tmp_path))
    assert plan["phases"] == [
        {
            "name": "full",
            "description": "Everything.",
            "needs": [],
            "runner": "backend",
            "parallel": True,
            "required": True,
            "timeout": 120.0,
            "tests": [
                {
                    "order": 1,
                    "id": "full/all_of_it",
                    "name": "all_of_it",
                    "runner": "backend",
                    "kind": "command",
                    "target": "f",
                    "cwd": str(tmp_path),
                    "args": [],
                    "env": ["TOKEN"],
                    "timeout": 20.0,
                    "retries": {"max": 1, "delay": 5.0, "factor": 1.0, "max_delay": 60.0, "jitter": 0.0},
                    "tags": [],
                    "expected": None,
                    "condition": None,
                    "isolation": None,
                }
            ],
        }
    ]
    assert plan["services"][0]["ready"] == [
        {"kind": "tcp", "tcp": "localhost:1", "timeout": 60.0, "interval": 0.1}
    ]
    assert plan["checked"][0]["host"] == "localhost"
    assert {left["id"] for left in plan["left_out"]} == {"health", "backend_smoke"}


def remember(folder: Path, **seconds: float) -> None:
    tests = [
        {"id": f"health/{name}", "kind": "command", "target": target, "seconds": [seconds[name]]}
        for name, target in (("api", "check api"), ("redis", "r"))
    ]
    (folder / "durations.json").write_text(json.dumps({"schema": 1, "tests": tests}))


KNOWN = """\
studio: 3 phases, 4 tests, 2 workers, at most 10m
expected to take 3m30s, no order takes less than 3m30s, 2 tests guessed
service  db: db --port 1, ready at localhost:1 within 1m
checked  localhost: looks fine (services.db.ready.tcp)

#  test       runner   target     timeout  retries     expected  tags

health (parallel, required, at most 1m)
1  redis      backend  r          -        2 after 5s  1m10s     infra
2  api        backend  check api  -        2 after 5s  500ms

backend_smoke (one after the other, optional, at most 2m)
3  login      backend  l          -        0           ?

full (parallel, required, at most 2m): Everything.
4  all_of_it  backend  f          20s      2 after 5s  ?
"""


def test_what_is_known_of_durations_decides_the_order_and_is_shown(capsys, tmp_path):
    remember(tmp_path, api=0.5, redis=70.0)
    arguments = ("-c", write_config(tmp_path), "--workers", "2", "--output", str(tmp_path))
    assert call(capsys, "plan", *arguments).out == KNOWN
    plan = json.loads(call(capsys, "plan", *arguments, "--json").out)
    assert plan["makespan"] == {"expected": 210.0, "lower_bound": 210.0, "unknown": 2}
    assert [(test["name"], test["order"], test["expected"]) for test in plan["phases"][0]["tests"]] == [
        ("api", 2, 0.5),
        ("redis", 1, 70.0),
    ]
    in_file = call(capsys, "plan", *arguments, "--order", "file").out
    assert in_file.index("1  api") < in_file.index("2  redis")


def test_the_file_says_the_order_and_where_durations_are_too(capsys, tmp_path):
    remember(tmp_path, api=0.5, redis=70.0)
    config = write_config(tmp_path, "order: file\ndurations: durations.json\n" + CONFIG)
    plan = json.loads(call(capsys, "plan", "-c", config, "--json").out)
    assert (plan["start_order"], plan["makespan"]["unknown"]) == ("file", 2)
    plan = json.loads(call(capsys, "plan", "-c", config, "--json", "--order", "longest").out)
    assert plan["start_order"] == "longest"


def test_a_shard_shows_its_part_and_who_has_the_rest(capsys, tmp_path):
    config = write_config(tmp_path)
    out = [call(capsys, "plan", "-c", config, "--shard", f"{index}/2").out for index in (1, 2)]
    assert "  health/redis: in shard 2/2\n" in out[0]
    assert "  health/api: in shard 1/2\n" in out[1]
    assert "nothing" not in call(capsys, "plan", "-c", config, "--shard", "9/9").out


CODES = {
    "an unknown phase": (["--phase", "x"], 2),
    "an unknown test": (["--test", "x"], 2),
    "a selection of nothing": (["--phase", "full", "--tag", "infra"], 4),
    "a shard that there is not": (["--shard", "3/2"], 2),
    "a shard counted from 0": (["--shard", "0/2"], 2),
    "a missing file": (["-c", "nowhere.yaml"], 2),
}


@pytest.mark.parametrize(("arguments", "code"), CODES.values(), ids=CODES.keys())
def test_it_ends_with_its_code_for(capsys, tmp_path, arguments, code):
    called = call(capsys, "plan", "-c", write_config(tmp_path), *arguments)
    assert (called.code, called.out) == (code, "")
    assert "hint: " in called.err


def test_the_environment_chooses_too(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("E2E_ORCHESTRATE_PHASE", "full health")
    monkeypatch.setenv("E2E_ORCHESTRATE_CONFIG", write_config(tmp_path))
    monkeypatch.setenv("E2E_ORCHESTRATE_JSON", "1")
    assert [phase["name"] for phase in json.loads(call(capsys, "plan").out)["phases"]] == ["health", "full"]


def test_what_a_condition_skips_is_left_out_with_it(capsys, tmp_path):
    config = write_config(tmp_path, CONFIG.replace("timeout: 20s", "timeout: 20s, when: no"))
    called = call(capsys, "plan", "-c", config)
    assert "full/all_of_it: its `when` does not hold: no" in called.out
    assert "4  all_of_it" not in called.out

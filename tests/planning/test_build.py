import pytest
from worlds import plan_of, write

from e2e_orchestrator.errors import ConfigError
from e2e_orchestrator.model.plan import RetryPolicy
from e2e_orchestrator.model.service import HttpProbe
from e2e_orchestrator.planning.build import Overrides, build_plan

INHERITING = """\
project: studio
timeout: 5m
workers: 3
retries: {max: 4, delay: 1s, factor: 2}
env: {LEVEL: file, FILE: "1"}
runners:
  backend: {kind: command, cwd: back, args: [-q], python: .venv/bin/python, env: {LEVEL: runner, RUNNER: "1"}}
phases:
  - name: one
    runner: backend
    timeout: 60s
    retries: {delay: 3s}
    env: {LEVEL: phase, PHASE: "1"}
    tags: [slow, both]
    tests:
      plain: x
      special: {target: y, cwd: other, timeout: 9s, retries: 0, tags: [both, own], args: [-x], env: {LEVEL: test}}
"""


@pytest.fixture
def inheriting(tmp_path):
    return plan_of(tmp_path, INHERITING, files=("back/a", "other/a"))


def test_the_run_takes_its_limits_from_the_file(inheriting, tmp_path):
    assert (inheriting.project, inheriting.timeout, inheriting.workers) == ("studio", 300.0, 3)
    assert inheriting.root == str(tmp_path.resolve())


def test_a_test_inherits_from_its_phase_its_runner_and_the_file(inheriting, tmp_path):
    plain = inheriting.tests[0]
    assert (plain.id, plain.kind, plain.target, plain.timeout) == ("one/plain", "command", "x", None)
    assert plain.cwd == str(tmp_path / "back")
    assert plain.args == ("-q",)
    assert plain.env == {"LEVEL": "phase", "FILE": "1", "RUNNER": "1", "PHASE": "1"}
    assert plain.retries == RetryPolicy(max=4, delay=3.0, factor=2.0)
    assert plain.tags == ("slow", "both")


def test_what_a_test_says_itself_wins_and_only_that(inheriting, tmp_path):
    special = inheriting.tests[1]
    assert special.cwd == str(tmp_path / "other")
    assert special.args == ("-q", "-x")
    assert special.env["LEVEL"] == "test"
    assert special.retries == RetryPolicy(max=0, delay=3.0, factor=2.0)
    assert special.tags == ("slow", "both", "own")
    assert special.timeout == 9.0


def test_a_python_with_a_slash_is_absolute_and_its_link_is_kept(tmp_path):
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    config = "runners: {r: {kind: command, python: ./link}, s: {kind: command, python: python3}}\n"
    plan = plan_of(tmp_path, config + "phases: [{name: p, runner: r, tests: {t: x}}]")
    assert [runner.python for runner in plan.runners] == [str(tmp_path / "link"), "python3"]


def test_without_words_about_it_the_processors_and_the_folder_decide(tmp_path):
    plan = plan_of(tmp_path, "runners: {r: {kind: command}}\nphases: [{name: p, runner: r, tests: {t: x}}]")
    assert (plan.project, plan.workers, plan.timeout) == (tmp_path.name, 4, 600.0)
    assert plan.tests[0].retries == RetryPolicy()


def test_overrides_win_over_everything_in_the_file(tmp_path):
    overrides = Overrides(workers=9, retries=1, timeout=7.0)
    plan = plan_of(tmp_path, INHERITING, files=("back/a", "other/a"), overrides=overrides)
    assert (plan.workers, plan.timeout) == (9, 7.0)
    assert [test.retries.max for test in plan.tests] == [1, 1]
    assert plan.tests[0].retries.delay == 3.0


def test_auto_on_the_command_line_wins_over_a_number_in_the_file(tmp_path):
    plan = plan_of(tmp_path, INHERITING, files=("back/a", "other/a"), overrides=Overrides(workers="auto"))
    assert plan.workers == 4


SERVICE = """\
env: {A: "1"}
services: {db: {command: "db --port 1", cwd: data, env: {B: "2"}, ready: {http: "http://localhost:1/"}, stop: {grace: 1s}}}
runners: {r: {kind: command}}
phases: [{name: p, runner: r, tests: {t: x}}]
"""


def test_a_service_has_its_folder_its_environment_and_its_probe(tmp_path):
    (service,) = plan_of(tmp_path, SERVICE, files=("data/a",)).services
    assert (service.name, service.command, service.stop.grace) == ("db", ("db", "--port", "1"), 1.0)
    assert service.cwd == str(tmp_path / "data")
    assert service.env == {"A": "1", "B": "2"}
    assert service.ready == (HttpProbe(http="http://localhost:1/"),)


def test_services_can_be_left_to_somebody_else(tmp_path):
    plan = plan_of(tmp_path, SERVICE, files=("data/a",), overrides=Overrides(services=False))
    assert plan.services == ()


FILES = ("tests/client/test_auth.py", "tests/server/test_auth.py", "tests/test_health.py", "tests/test_x.txt")
LISTS = {
    "paths are named after their files": (
        "[tests/test_health.py]",
        {"test_health": "tests/test_health.py"},
    ),
    "a glob takes what matches, sorted": (
        "['tests/**/test_*.py']",
        {
            "client/test_auth": "tests/client/test_auth.py",
            "server/test_auth": "tests/server/test_auth.py",
            "test_health": "tests/test_health.py",
        },
    ),
    "what is listed already is not taken again by a glob": (
        "[tests/test_health.py, tests/*.py]",
        {"test_health": "tests/test_health.py"},
    ),
    "names of the runner come with their details": (
        "[smoke, tests/test_health.py]",
        {"smoke": "tests/client/test_auth.py", "test_health": "tests/test_health.py"},
    ),
    "a node id keeps its inner part": (
        "['tests/test_health.py::test_a[x]']",
        {"test_health.test_a[x]": "tests/test_health.py::test_a[x]"},
    ),
    "a folder is named after itself": ("[tests/client]", {"client": "tests/client"}),
}


def listing(tests: str) -> str:
    return (
        "runners: {r: {kind: pytest, tests: {smoke: {target: tests/client/test_auth.py, tags: [quick]}}}}\n"
        f"phases: [{{name: p, runner: r, tests: {tests}}}]\n"
    )


@pytest.mark.parametrize(("tests", "named"), LISTS.values(), ids=LISTS.keys())
def test_in_a_list(tmp_path, tests, named):
    plan = plan_of(tmp_path, listing(tests), files=FILES)
    assert {test.name: test.target for test in plan.tests} == named


MISTAKES = {
    "a path that does not exist": (
        "[tests/test_no.py]",
        "2:39: phases.p.tests[0]: there is no `tests/test_no.py`",
    ),
    "a target that does not exist": (
        "{t: tests/test_no.py}",
        "2:42: phases.p.tests.t: there is no `tests/test_no.py`",
    ),
    "a target in details": (
        "{t: {target: 'tests/test_no.py::test_a'}}",
        "2:51: phases.p.tests.t.target: there is no `tests/test_no.py`",
    ),
    "a glob without a match": (
        "['tests/**/*_no.py']",
        "2:39: phases.p.tests[0]: `tests/**/*_no.py` matches no file",
    ),
    "a misspelt name": ("[smoek]", "2:39: phases.p.tests[0]: `smoek` is no test of the runner"),
    "the same path twice": (
        "[tests/test_health.py, tests/test_health.py]",
        "2:61: phases.p.tests[1]: `tests/test_health.py` is listed twice",
    ),
    "the same path in other words": (
        "[tests/test_health.py, ./tests/test_health.py]",
        "2:61: phases.p.tests[1]: the test `tests/test_health.py` stands here already",
    ),
    "a folder that does not exist": (
        "{t: {target: tests/test_health.py, cwd: nowhere}}",
        "2:78: phases.p.tests.t.cwd: there is no folder `nowhere`",
    ),
}


@pytest.mark.parametrize(("tests", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_planning_refuses(tmp_path, tests, says):
    with pytest.raises(ConfigError) as refused:
        plan_of(tmp_path, listing(tests), files=FILES)
    assert len(refused.value.mistakes) == 1
    assert refused.value.mistakes[0].startswith(f"{tmp_path / 'phases.yaml'}:{says}")


def test_all_that_does_not_exist_is_said_at_once(tmp_path):
    config = (
        "runners: {r: {kind: pytest, cwd: nowhere}, s: {kind: pytest}}\n"
        "services: {d: {command: x, cwd: nowhere}}\n"
        "phases: [{name: p, runner: s, tests: {a: no.py, b: no.py}}]"
    )
    with pytest.raises(ConfigError) as refused:
        plan_of(tmp_path, config)
    assert len(refused.value.mistakes) == 4


PLAYWRIGHT = (
    "runners: {r: {kind: playwright, cwd: tsx}}\nphases: [{name: p, runner: r, tests: {t: 'TARGET'}}]"
)


@pytest.mark.parametrize(
    "target",
    [
        "e2e/client/studio.spec.ts",
        "studio.spec.ts",
        "client/studio.spec.ts:12",
        "studio",
        "e2e/",
        "stud.*spec",
    ],
)
def test_playwright_takes_the_end_of_a_path_and_patterns(tmp_path, target):
    plan = plan_of(tmp_path, PLAYWRIGHT.replace("TARGET", target), files=("tsx/e2e/client/studio.spec.ts",))
    assert plan.tests[0].target == target


def test_playwright_needs_the_spec_that_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no `e2e/studo\.spec\.ts`"):
        plan_of(
            tmp_path, PLAYWRIGHT.replace("TARGET", "e2e/studo.spec.ts"), files=("tsx/e2e/studio.spec.ts",)
        )


def test_the_target_of_another_kind_is_its_own_affair(tmp_path):
    config = "runners: {r: {kind: command}}\nphases: [{name: p, runner: r, tests: {t: 'make check'}}]"
    assert plan_of(tmp_path, config).tests[0].target == "make check"


def test_planning_asks_the_machine_by_default(tmp_path):
    loaded = write(tmp_path, "runners: {r: {kind: command}}\nphases: [{name: p, runner: r, tests: {t: x}}]")
    assert build_plan(loaded).workers >= 1

import pytest
from worlds import plan_of

from e2e_orchestrator.errors import NothingToRun, UsageError
from e2e_orchestrator.planning.selection import select

CONFIG = """\
runners: {r: {kind: command}}
phases:
  - {name: health, runner: r, tests: {api: x, redis: {target: x, tags: [infra]}}}
  - {name: smoke, runner: r, tags: [quick], tests: {login: x, "cart[eu]": x}}
  - {name: full, runner: r, tests: {login: x}}
"""
CHOICES = {
    "nothing chosen is everything": (
        {},
        ["health/api", "health/redis", "smoke/login", "smoke/cart[eu]", "full/login"],
    ),
    "phases in the order of the file": (
        {"phases": ["smoke", "health"]},
        ["health/api", "health/redis", "smoke/login", "smoke/cart[eu]"],
    ),
    "all of them": (
        {"phases": ["all"]},
        ["health/api", "health/redis", "smoke/login", "smoke/cart[eu]", "full/login"],
    ),
    "tests by name in every phase": ({"tests": ["login"]}, ["smoke/login", "full/login"]),
    "tests by phase and name": ({"tests": ["full/login"]}, ["full/login"]),
    "tests by glob": ({"tests": ["*/l*", "ap?"]}, ["health/api", "smoke/login", "full/login"]),
    "a name with brackets": ({"tests": ["cart[eu]"]}, ["smoke/cart[eu]"]),
    "tests by their own tag": ({"tags": ["infra"]}, ["health/redis"]),
    "tests by one of several tags": (
        {"tags": ["infra", "quick"]},
        ["health/redis", "smoke/login", "smoke/cart[eu]"],
    ),
    "all three together": ({"phases": ["smoke"], "tests": ["l*"], "tags": ["quick"]}, ["smoke/login"]),
}
REFUSALS = {
    "an unknown phase": (
        {"phases": ["smok"]},
        "there is no phase `smok`",
        "did you mean `smoke`? there are: health, smoke, full, all",
    ),
    "a glob that fits no test": (
        {"tests": ["logn"]},
        "there is no test `logn`",
        "did you mean `login`? there are: api, redis, login, cart[eu]",
    ),
    "a path that fits no test": (
        {"tests": ["smoke/logn"]},
        "there is no test `smoke/logn`",
        "did you mean `smoke/login`? there are: health/api, health/redis, smoke/login, smoke/cart[eu], full/login",
    ),
    "unknown tags": ({"tags": ["x", "y"]}, "there is no tag `x` and no tag `y`", "there are: infra, quick"),
}


@pytest.fixture
def plan(tmp_path):
    return plan_of(tmp_path, CONFIG)


@pytest.mark.parametrize(("choice", "ids"), CHOICES.values(), ids=CHOICES.keys())
def test_it_selects(plan, choice, ids):
    assert [test.id for test in select(plan, **choice).tests] == ids


@pytest.mark.parametrize(("choice", "says", "hint"), REFUSALS.values(), ids=REFUSALS.keys())
def test_it_refuses(plan, choice, says, hint):
    with pytest.raises(UsageError) as refused:
        select(plan, **choice)
    assert (refused.value.message, refused.value.hint) == (says, hint)


@pytest.mark.parametrize(("choice", "ids"), CHOICES.values(), ids=CHOICES.keys())
def test_what_is_not_selected_is_left_out_and_nothing_is_lost(plan, choice, ids):
    chosen = select(plan, **choice)
    gone = {left.id for left in chosen.left_out}
    for test in plan.tests:
        assert (test.id in ids) != (test.id in gone or test.phase in gone)


def test_the_reason_is_the_option_that_left_it_out(plan):
    chosen = select(plan, phases=["health", "smoke"], tests=["api", "login"], tags=["quick"])
    assert {left.id: left.why for left in chosen.left_out} == {
        "health": "no test selected by --tag and --test",
        "smoke/cart[eu]": "not selected by --test",
        "full": "not selected by --phase",
    }


def test_a_selection_without_a_test_is_nothing_to_run(plan):
    with pytest.raises(NothingToRun) as nothing:
        select(plan, phases=["health"], tests=["login"])
    assert nothing.value.exit_code == 4
    assert "health/api" in str(nothing.value.hint)

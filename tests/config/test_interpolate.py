from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e_orchestrator.config.interpolate import Uninterpolated, interpolate

ENVIRON = {"HOST": "db", "EMPTY": "", "DOLLAR": "${HOST}"}
TEXTS = {
    "a variable": ("${HOST}", "db"),
    "a variable inside text": ("redis://${HOST}:1", "redis://db:1"),
    "a default that is not needed": ("${HOST:-x}", "db"),
    "a default for an undefined variable": ("${NO:-x}", "x"),
    "a default for an empty variable": ("${EMPTY:-x}", "x"),
    "an empty default": ("a${NO:-}b", "ab"),
    "an empty variable without a default": ("a${EMPTY}b", "ab"),
    "a default with a variable": ("${NO:-${HOST}:1}", "db:1"),
    "defaults within defaults": ("${NO:-${NOR:-${HOST}}}", "db"),
    "an unneeded default is not looked up": ("${HOST:-${NO}}", "db"),
    "a message that is not needed": ("${HOST:?needed}", "db"),
    "two dollars": ("$$HOME costs $$5", "$HOME costs $5"),
    "an escaped variable": ("$${HOST}", "${HOST}"),
    "a lone dollar": ("$HOME costs 5$", "$HOME costs 5$"),
    "a default with a colon": ("${NO:-http://localhost:8000}", "http://localhost:8000"),
    "a brace outside": ("{a}", "{a}"),
    "values are not read again": ("${DOLLAR}", "${HOST}"),
}
MISTAKES = {
    "an undefined variable is named": ("${NO}", "the variable NO is not defined"),
    "a message of one's own": ("${NO:?run setup first}", "the variable NO is not defined: run setup first"),
    "a message for an empty variable": ("${EMPTY:?say}", "the variable EMPTY is not defined: say"),
    "a message with braces": ("${NO:?see {docs}}", "the variable NO is not defined: see {docs}"),
    "all undefined variables at once": (
        "${A}${B}${A}",
        "the variable A is not defined; the variable B is not defined",
    ),
    "an open brace": ("${HOST", "`${HOST` is never closed"),
    "an open default": ("${HOST:-x", "`${HOST` is never closed"),
    "a missing name": ("${}", "`${` must be followed by the name of a variable"),
    "a name with a blank": ("${A B}", "`${A ` is not understood"),
    "another operator": ("${A+b}", "`${A+` is not understood"),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS.keys())
def test_text_with(text, expected):
    assert interpolate(text, ENVIRON) == expected


@pytest.mark.parametrize(("text", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_it_refuses(text, says):
    with pytest.raises(Uninterpolated) as refused:
        interpolate(text, ENVIRON)
    assert str(refused.value) == says
    assert all(problem.hint for problem in refused.value.problems)


def test_deep_nesting_is_refused_and_not_followed():
    with pytest.raises(Uninterpolated, match="nested too deeply"):
        interpolate("${A:-" * 5000 + "x" + "}" * 5000, {})


@given(st.text(alphabet="ab${}:-? ", max_size=30))
def test_any_text_comes_out_or_is_refused(text):
    with suppress(Uninterpolated):
        interpolate(text, {"a": "1"})


@given(st.text())
def test_doubled_dollars_give_the_text_back(text):
    assert interpolate(text.replace("$", "$$"), {}) == text

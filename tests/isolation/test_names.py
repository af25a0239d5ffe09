"""Names that fit, tell bases and slots apart, and hold nothing that a statement could mistake."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e_orchestrator.isolation.names import LONGEST, Marker, clone_name, is_our_name, read_marker

RUN = "20261120-154739-a1b2c3"
MARKER = Marker(run_id=RUN, kind="clone", host="here", folder="/runs/x")


def test_a_plain_name_says_base_run_and_slot() -> None:
    assert clone_name("shop", run_id=RUN, part=3) == "test_shop_20261120_154739_a1b2c3_3"


def test_a_base_that_is_a_test_database_is_not_said_to_be_one_twice() -> None:
    assert clone_name("test_shop", run_id=RUN, part=0) == "test_shop_20261120_154739_a1b2c3_0"


def test_a_long_name_is_cut_and_stays_different() -> None:
    one, two = (clone_name("shop" * 20 + ending, run_id=RUN, part=0) for ending in "ab")
    assert one != two
    assert {len(one), len(two)} == {LONGEST}


@given(base=st.text(min_size=1), part=st.one_of(st.integers(0, 999), st.just("template")))
def test_any_base_gives_a_name_of_harmless_letters(base: str, part: int | str) -> None:
    name = clone_name(base, run_id=RUN, part=part)
    assert re.fullmatch(r"test_[A-Za-z0-9_]+", name)
    assert len(name.encode()) <= LONGEST
    assert is_our_name(name)
    assert name.endswith(f"_{part}")


@given(
    st.sets(st.text(min_size=1, max_size=80).filter(lambda text: not text.startswith("test_")), min_size=2)
)
def test_two_bases_never_share_a_name(bases: set[str]) -> None:
    assert len({clone_name(base, run_id=RUN, part=0) for base in bases}) == len(bases)


@pytest.mark.parametrize("name", ["shop", "prod_shop", "test_a; DROP", "TEST_a", "test_" + "a" * 80, ""])
def test_what_is_not_one_of_our_names(name: str) -> None:
    assert not is_our_name(name)


def test_a_marker_is_read_as_it_was_written() -> None:
    assert read_marker(str(MARKER)) == MARKER


@pytest.mark.parametrize(
    "text",
    [None, "", "production", "e2e-orchestrator", "e2e-orchestrator {}", "e2e-orchestrator []", "e2e-orchestrator {",
     str(MARKER)[1:], str(MARKER).replace('"clone"', "1"), str(MARKER).replace('"kind"', '"sort"')],
)  # fmt: skip
def test_nothing_else_is_taken_for_a_marker(text: str | None) -> None:
    assert read_marker(text) is None

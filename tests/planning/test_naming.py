import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e_orchestrator.planning.naming import name_targets

NAMES = {
    "the stem of the file": (["a/b/test_x.py"], ["test_x"]),
    "the same stem in two folders": (["a/test_x.py", "b/test_x.py"], ["a/test_x", "b/test_x"]),
    "each only as long as it must be": (
        ["a/c/test_x.py", "b/c/test_x.py", "d/test_x.py", "test_y.py"],
        ["a/c/test_x", "b/c/test_x", "d/test_x", "test_y"],
    ),
    "one of them at the top": (["test_x.py", "a/test_x.py"], ["test_x.py", "a/test_x"]),
    "the same file with two suffixes": (["a/x.ts", "a/x.js"], ["a/x.ts", "a/x.js"]),
    "two cases of one file": (["test_x.py::test_a", "test_x.py::test_b"], ["test_x.test_a", "test_x.test_b"]),
    "what the command line cannot say": (["a/te,st.py", "-x.py"], ["te_st", "_x"]),
}


@pytest.mark.parametrize(("targets", "names"), NAMES.values(), ids=NAMES.keys())
def test_a_test_is_called(targets, names):
    assert name_targets(targets) == names


def test_a_name_that_is_taken_is_made_longer():
    assert name_targets(["a/smoke.py"], taken={"smoke"}) == ["a/smoke"]


@given(
    st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), unique=True, max_size=8)
)
def test_different_paths_get_different_names(paths):
    assert len(set(name_targets([f"{path}.py" for path in paths]))) == len(paths)

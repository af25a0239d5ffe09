"""Texts of children are bounded, clean, and say what was cut."""

import pytest

from e2e_orchestrator.parsers.text import (
    ID_LIMIT,
    MESSAGE_LIMIT,
    cut,
    last_lines,
    message,
    plain,
    short_id,
    unique,
)


def test_a_long_text_keeps_both_ends_and_says_what_is_gone() -> None:
    text = cut("a" * 50_000 + "z" * 50_000)
    assert len(text) <= MESSAGE_LIMIT
    assert text.startswith("aaa")
    assert text.endswith("zzz")
    kept = text.count("a") + text.count("z")
    assert f"[... {100_000 - kept} letters cut ...]" in text


@pytest.mark.parametrize("function", [cut, short_id], ids=["messages", "ids"])
def test_cutting_twice_is_cutting_once(function) -> None:
    once = function("x" * 1_000_000)
    assert function(once) == once


@pytest.mark.parametrize("function", [message, short_id], ids=["messages", "ids"])
@pytest.mark.parametrize("shift", range(0, 40, 3))
def test_a_word_at_the_cut_is_left_out_as_a_whole(function, shift: int) -> None:
    secret = "LONGSECRETVALUE"
    for half in (8128, 1984):
        padding = "ab " * 20_000
        text = f"{padding[: half - shift]} {secret} {padding} {secret} {padding[: half - shift]}"
        said = function(text).replace(secret, "")
        assert not any(secret[at : at + 3] in said for at in range(len(secret) - 2))


def test_a_word_without_an_end_is_left_out_as_far_as_a_secret_may_go() -> None:
    text = "error: " + "x" * 100_000
    assert cut(text).startswith("error: " + "x" * 7000)


def test_ids_that_differ_anywhere_still_differ_when_cut() -> None:
    middle = ["a" * 10_000 + letter + "b" * 10_000 for letter in "xyz"]
    short = {short_id(one) for one in middle}
    assert len(short) == 3
    assert all(len(one) <= ID_LIMIT for one in short)


@pytest.mark.parametrize(
    ("coloured", "expected"),
    [
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colours"),
        pytest.param("\x1b[2K\x1b[1Gline", "line", id="cursor movements"),
        pytest.param("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link", id="links"),
        pytest.param("\x1b]0;title\x07text", "text", id="window titles"),
        pytest.param("plain [31m", "plain [31m", id="nothing that only looks like one"),
    ],
)
def test_terminal_codes_are_removed(coloured: str, expected: str) -> None:
    assert plain(coloured) == expected


def test_a_message_has_no_empty_lines_around_it() -> None:
    assert message("\n\n  said\n\n") == "  said"


def test_the_last_lines_are_those_that_hold_something() -> None:
    assert last_lines("one\n\ntwo\n   \nthree\n\n", count=2) == "two\nthree"
    assert len(last_lines("x" * 100_000, limit=100)) == 100


def test_what_comes_twice_gets_a_number_that_nobody_has() -> None:
    assert list(unique(["a", "a (2)", "a", "b", "a"])) == ["a", "a (2)", "a (3)", "b", "a (4)"]

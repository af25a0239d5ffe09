"""Text of children, made safe and short."""

import pytest
from support.stories import ASSERTION, PLAYWRIGHT_ERROR

from e2e_orchestrator.reporters.text import clean, clip, first_line, forged, lines_that_matter, one_line, tail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain", "plain", id="plain text stays as it is"),
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colours go"),
        pytest.param("\x1b[2J\x1b[Hhome", "home", id="cursor movements go"),
        pytest.param("\x1b]0;title\x07text", "text", id="a window title goes"),
        pytest.param("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link", id="a hyperlink leaves its text"),
        pytest.param("\x9b31mred\x9d0;t\x9c", "red", id="eight-bit escapes go"),
        pytest.param("\x1b]0;never ends\nnext", "\nnext", id="an endless title stops at its line"),
        pytest.param("\x1bPq#0\x1b\\after", "after", id="a device string goes"),
        pytest.param("a\x1b", "a", id="a lonely escape at the end goes"),
        pytest.param("a\rb\r\nc", "a\nb\nc", id="returns become new lines"),
        pytest.param("a\u2028b\x85c\x0bd", "a\nb\nc\nd", id="rare line ends become new lines"),
        pytest.param("a\x00\x08b", "ab", id="control characters go"),
        pytest.param("\u202egpj.exe", "gpj.exe", id="text that runs backwards is turned round"),
        pytest.param("a\udc80b", "a\ufffdb", id="lone surrogates become replacement characters"),
        pytest.param("a\tb", "a   b", id="tabs become spaces"),
        pytest.param("see ##[error] here", "see # #[error] here", id="a GitHub or Azure command is broken"),
        pytest.param("##vso[task.x]", "# #vso[task.x]", id="an Azure command is broken"),
        pytest.param("##teamcity[x]", "# #teamcity[x]", id="a TeamCity message is broken"),
        pytest.param("## Heading", "## Heading", id="a Markdown heading is left alone"),
    ],
)
def test_cleaning(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_a_huge_text_says_what_was_left_out() -> None:
    assert "100000 characters left out" in clean("x" * 300_000)


@pytest.mark.parametrize("line", ["::error::x", "  ::debug::", "##[x", "\t##vso[x"])
def test_a_line_that_a_server_would_obey_is_known(line: str) -> None:
    assert forged(line)


@pytest.mark.parametrize("line", ["test.py::test_a", "E  ::error::", "# comment", ""])
def test_other_lines_are_not_suspected(line: str) -> None:
    assert not forged(line)


def test_one_line_joins_and_clips() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    assert one_line("x" * 300, limit=10) == "x" * 9 + "…"
    assert clip("ab", limit=0) == "…"


@pytest.mark.parametrize(
    ("message", "limit", "expected"),
    [
        pytest.param(
            ASSERTION,
            15,
            [
                ">       assert answer.status == 401",
                "E       AssertionError: a wrong password must not be an error of ours",
                "E       assert 500 == 401",
                "E        +  where 500 = <Answer 500>.status",
                "tests/test_login.py:14: AssertionError",
            ],
            id="pytest's long form shows the statement, the assertion and the place",
        ),
        pytest.param(
            ASSERTION,
            2,
            ["E       AssertionError: a wrong password must not be an error of ours", "… 2 more lines"],
            id="with little room only the assertion",
        ),
        pytest.param(
            "E   first\n\nDuring handling\n\n>   x\nE   second",
            9,
            [">   x", "E   second"],
            id="of a chain of exceptions the last counts",
        ),
        pytest.param(
            'Traceback (most recent call last):\n  File "a.py", line 1\n    x\nValueError: no\n',
            5,
            ["ValueError: no"],
            id="of a Python traceback the exception counts",
        ),
        pytest.param(
            "Traceback (most recent call last):\n  File",
            5,
            ["Traceback (most recent call last):", "  File"],
            id="a traceback that was cut off is shown whole",
        ),
        pytest.param(
            PLAYWRIGHT_ERROR,
            3,
            [
                "Error: expect(locator).toBeVisible() failed",
                "Locator: getByRole('heading', { name: 'Tips' })",
                "… 10 more lines",
            ],
            id="of Playwright's errors the head counts",
        ),
        pytest.param("\n\n  \nonly\n\n", 5, ["only"], id="empty edges go"),
        pytest.param("", 5, [], id="nothing is nothing"),
        pytest.param("\n", 5, [], id="an empty line is nothing"),
    ],
)
def test_the_lines_that_matter(message: str, limit: int, expected: list[str]) -> None:
    assert lines_that_matter(message, limit=limit) == expected


def test_the_first_line_has_no_mark_of_pytest() -> None:
    assert first_line(ASSERTION) == "AssertionError: a wrong password must not be an error of ours"
    assert first_line("") == ""


def test_the_tail_is_the_end() -> None:
    assert tail("a\nb\nc\n\n", limit=2) == ["b", "c"]

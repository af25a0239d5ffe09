"""Which failures belong together."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import stories

from e2e_orchestrator.model.outcomes import Reason, because
from e2e_orchestrator.model.summary import fold
from e2e_orchestrator.reporters.console_summary import summary
from e2e_orchestrator.reporters.groups import Failure, failures_of, group, signature

PYTEST = """\
    def test_user(client):
        answer = client.get("/users/{number}")
>       assert answer.status_code == 200
E       assert {status} == 200
E        +  where {status} = <Response [{status}]>.status_code

tests/test_users.py:{number}: AssertionError
"""
PYTHON = """\
Traceback (most recent call last):
  File "/srv/app/{folder}/main.py", line {number}, in run
    connect()
ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', {number})
"""
PLAYWRIGHT = """\
Error: expect(locator).toHaveText(expected) failed

Locator:  locator('{selector}')
Expected: "Saved"
Received: "Draft {number}"
Timeout:  5000ms

Call log:
  - Expect "toHaveText" with timeout 5000ms
"""

SAME = {
    "numbers": ("got 17 rows", "got 4 rows"),
    "negative numbers and exponents": ("got -1.5e10 rows", "got 3 rows"),
    "numbers inside of words": ("no user alice12", "no user alice7"),
    "identifiers": (
        "no order 6f1c2b0a-93bb-4f0e-8a53-0b1fd5a2c111",
        "no order 00000000-0000-4000-8000-00000000000f",
    ),
    "addresses in memory": ("<Page object at 0x7f3a2c10>", "<Page object at 0x55d0>"),
    "commits and digests": ("at revision 9ad05bd1", "at revision 4e7e6d09c2aa"),
    "tokens": ("session eyJhbGciOiJIUzI1NiJ9AAxx gone", "session Q1w2E3r4T5y6U7i8O9p0zz gone"),
    "paths": (
        "cannot open /tmp/pytest-of-root/pytest-12/a.db",
        "cannot open /var/folders/xy/pytest-3/a.db",
    ),
    "paths of Windows": (r"cannot open C:\Temp\x1\a.db", r"cannot open D:\Users\me\a.db"),
    "times": ("at 2026-03-01T12:00:00.123Z: gone", "at 2025-12-24 08:30:15+01:00: gone"),
    "times of day": ("at 12:00:01 gone", "at 9:59:59.9 gone"),
    "durations": ("timed out after 30s", "timed out after 1.5 minutes"),
    "ports": ("connect to localhost:8000 refused", "connect to localhost:41234 refused"),
    "ports and numbers in addresses": (
        "GET http://127.0.0.1:8000/users/1: 500",
        "GET http://127.0.0.1:9/users/22: 503",
    ),
    "kinds of quotes": ('no "user" here', "no \u2018user\u2019 here"),
    "quoted texts": ("assert 'Hello World' in page", "assert 'Good bye now' in page"),
    "colours": ("\x1b[31mboom\x1b[0m", "boom"),
    "blanks": ("a   b", "a b"),
    "pytest's marks and source": (
        PYTEST.format(number=1, status=500),
        PYTEST.format(number=22, status=502),
    ),
    "tracebacks": (PYTHON.format(folder="a", number=1), PYTHON.format(folder="b", number=40_000)),
    "what Playwright received": (
        PLAYWRIGHT.format(selector="#state", number=1),
        PLAYWRIGHT.format(selector="#state", number=2),
    ),
}

DIFFERENT = {
    "words": ("no such user", "no such order"),
    "exceptions": ("KeyError: 'a'", "IndexError: 'a'"),
    "quoted words": ("KeyError: 'user'", "KeyError: 'order'"),
    "names of files": ("cannot open /srv/a/one.db", "cannot open /srv/a/two.db"),
    "places of a service": ("GET http://localhost:1/users", "GET http://localhost:1/orders"),
    "exceptions at the end of one traceback": (
        PYTHON.format(folder="a", number=1),
        PYTHON.format(folder="a", number=1).replace("Refused", "Reset"),
    ),
    "what Playwright looked for": (
        PLAYWRIGHT.format(selector="#state", number=1),
        PLAYWRIGHT.format(selector="#title", number=1),
    ),
    "what an exception without words goes on to say": (
        "AssertionError:\nno user",
        "AssertionError:\nno order",
    ),
}

SIGNATURES = {
    PYTEST.format(number=1, status=500): ("assert <n> == <n> + where <n> = <Response [<n>]>.status_code"),
    PYTHON.format(folder="a", number=1): (
        "ConnectionRefusedError: [Errno <n>] Connect call failed ('<n>', <n>)"
    ),
    PLAYWRIGHT.format(selector="#state", number=1): (
        "Error: expect(locator).toHaveText(expected) failed Locator: locator('#state')"
    ),
    "timed out after 30s (limit of the test), in case tests/a.py::test_b[x-12]": (
        "timed out after <duration> (limit of the test), in case tests/a.py::test_b[x-<n>]"
    ),
    "": "",
    "\n\n": "",
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_two_runs_need_not_share(pair: tuple[str, str]) -> None:
    assert signature(pair[0]) == signature(pair[1]) != ""


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_two_causes_differ_in(pair: tuple[str, str]) -> None:
    assert signature(pair[0]) != signature(pair[1])


@pytest.mark.parametrize(("message", "wanted"), SIGNATURES.items())
def test_a_signature_reads_like_the_error(message: str, wanted: str) -> None:
    assert signature(message) == wanted


@given(st.text(max_size=300))
@settings(deadline=None)
def test_a_signature_is_one_short_line_and_stable(message: str) -> None:
    found = signature(message)
    assert len(found) <= 200
    assert len(found.splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\x7f]", found)
    assert signature(message) == found


@given(st.text(alphabet="aF0-:./ '\"<>\\", max_size=200))
@settings(deadline=None)
def test_digits_never_survive(message: str) -> None:
    assert not any(char.isdigit() for char in signature(message))


def test_a_line_of_a_megabyte_takes_no_time() -> None:
    began = time.process_time()  # Whoever else keeps the machine busy is no matter of this one.
    for char in ("a", "0", "/", "a/", "1.", "'", "0a"):
        assert len(signature(char * 1_000_000)) <= 200
    assert time.process_time() - began < 2


def failure(test: str, message: str) -> Failure:
    return Failure(test=test, message=message)


def test_the_biggest_group_comes_first_and_equals_keep_their_order() -> None:
    groups = group(
        [
            failure("p/a", "one"),
            failure("p/b", "two 1"),
            failure("p/c", "three"),
            failure("p/d", "two 2"),
            failure("p/d", "two 3"),
        ]
    )
    assert [(one.title, one.tests) for one in groups] == [
        ("two 1", ("p/b", "p/d")),
        ("one", ("p/a",)),
        ("three", ("p/c",)),
    ]
    assert [one.signature for one in groups] == ["two <n>", "one", "three"]


def test_failures_without_a_message_are_one_group_that_says_so() -> None:
    (only,) = group([failure("p/a", ""), failure("p/b", " \n")])
    assert only.title == "no message"
    assert len(only.failures) == 2


def test_no_failure_makes_no_group() -> None:
    assert group([]) == ()


@given(st.lists(st.text(max_size=20)))
@settings(deadline=None)
def test_every_failure_is_in_exactly_one_group(messages: list[str]) -> None:
    failures = [failure(f"p/{at}", message) for at, message in enumerate(messages)]
    grouped = [one for made in group(failures) for one in made.failures]
    assert sorted(grouped, key=lambda one: one.test) == sorted(failures, key=lambda one: one.test)


@pytest.mark.parametrize("story", stories.STORIES)
def test_of_a_run_every_failed_test_has_a_failure_and_no_other(story: str) -> None:
    run = fold(stories.STORIES[story]())
    failed = {test.test.id for test in run.failed}
    found = {one.test for one in failures_of(run)}
    assert failed <= found
    assert found - failed <= {test.test.id for test in run.running}


def test_the_console_says_what_several_tests_share() -> None:
    tests = [stories.a_test("p", name) for name in ("a", "b", "c")]
    story = stories.Story().start(stories.a_plan(stories.a_phase("p", *tests)))
    for at, test in enumerate(tests):
        verdict = because(Reason.CRASH, "alone" if test.name == "b" else f"no order {at}")
        story.attempt(test, verdict=verdict).end_test(test, verdict)
    told = summary(fold(story.end(1)), services=[], output=Path("out"), run_folder=Path("out/r"))
    lines = ["".join(text for text, _ in one.spans) for one in told]
    at = lines.index("Same error")
    assert lines[at + 1 : at + 3] == ["  ✗ 2 tests: no order 0", "      p/a, p/c"]

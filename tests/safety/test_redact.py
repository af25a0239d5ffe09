"""What counts as a secret, and that it is gone from wherever it turns up."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e_orchestrator.model.outcomes import Case, CaseStatus
from e2e_orchestrator.safety.masking import MARK, Mask
from e2e_orchestrator.safety.redact import Redactor, secret_values

SECRET = 'tok-5f1d9c77/e0+aa"41b2'

SHAPES = {
    "a password in an address": ("postgresql+psycopg://app:hunter2@db:5432/x", "hunter2"),
    "a password without a user": ("redis://:hunter2@cache:6379/0", "hunter2"),
    "a bearer header": ("Authorization: Bearer abc.def-123", "abc.def-123"),
    "a basic header as JSON": ('{"authorization": "Basic dXNlcjpwYXNz"}', "dXNlcjpwYXNz"),
    "a JSON web token": ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl y", "eyJzdWIi"),
    "a GitHub token": ("ghp_" + "a1B2" * 9, "a1B2a1B2"),
    "a Slack webhook": ("https://hooks.slack.com/services/T0/B0/abcdefgh", "abcdefgh"),
    "a private key": ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "MIIEvQ"),
}
HARMLESS = [
    "basic configuration of the bearer channel",
    "http://localhost:8000/users/@me",
    "see https://example.org/a:b and mail me@example.org",
    "the task is done",
]


@pytest.mark.parametrize(("text", "secret"), SHAPES.values(), ids=SHAPES.keys())
def test_shapes_of_secrets_are_masked_in_text_and_in_bytes(text: str, secret: str) -> None:
    mask = Mask()
    assert secret not in mask.text(text)
    assert secret.encode() not in mask.data(text.encode())


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert Mask().text(text) == text


def test_a_variable_that_is_named_as_secret_is_one_whatever_its_length() -> None:
    assert "pin" in secret_values({"DOOR": "pin"}, named=["DOOR"])


def test_a_secret_is_found_in_the_spellings_in_which_it_turns_up() -> None:
    mask = Mask(secret_values({"MY_TOKEN": SECRET}))
    for spelling in (
        SECRET,
        repr(SECRET),
        '{"a": "tok-5f1d9c77/e0+aa\\"41b2"}',
        "?t=tok-5f1d9c77%2Fe0%2Baa%2241b2&",
    ):
        assert "5f1d9c77" not in mask.text(spelling)


@dataclass(frozen=True)
class Nested:
    name: str
    parts: tuple[object, ...] = ()
    table: object = None


def test_every_string_of_an_event_is_masked_and_what_is_clean_is_shared() -> None:
    redactor = Redactor(["hunter2"])
    clean = Nested("nothing to see")
    dirty = Nested("a", parts=(clean, Nested("hunter2")), table={"k": ["xhunter2x"]})
    masked = redactor.data(dirty)
    assert masked == Nested("a", parts=(clean, Nested(MARK)), table={"k": [f"x{MARK}x"]})
    assert redactor.data(clean) is clean


@given(st.text(min_size=1, max_size=20), st.text(max_size=40), st.text(max_size=40))
def test_no_text_around_a_secret_can_save_it(secret: str, before: str, after: str) -> None:
    masked = Mask([secret]).text(before + secret + after)
    assert secret not in masked.replace(MARK, "") or secret in MARK


def test_cases_that_differ_in_nothing_but_a_secret_stay_different_and_keep_their_names() -> None:
    redactor = Redactor(["first-secret", "second-secret"])
    cases = tuple(Case(id=f"t[{one}]", status=CaseStatus.PASSED) for one in ("first-secret", "second-secret"))
    assert [case.id for case in redactor.data(cases)] == ["t[***]", "t[***] (2)"]
    assert [case.id for case in redactor.data(cases[1:])] == ["t[***] (2)"]

"""Accounts and sessions work at all."""

from __future__ import annotations

import httpx
import pytest

from actors import Streamer


@pytest.fixture
def stranger(http: httpx.Client) -> Streamer:
    return Streamer.unregistered(http)


def test_registering_returns_the_user_without_the_password(stranger: Streamer) -> None:
    answer = stranger.register()

    assert answer.status_code == 201
    assert answer.json()["email"] == stranger.email
    assert stranger.password not in answer.text
    assert "password" not in answer.text


def test_logging_in_returns_a_token_that_works(stranger: Streamer) -> None:
    stranger.register()

    answer = stranger.log_in()

    assert answer.status_code == 200
    assert answer.json()["expires_in"] > 0
    assert stranger.get("/auth/me").json()["email"] == stranger.email


def test_an_email_address_is_taken_once_whatever_its_case(stranger: Streamer) -> None:
    stranger.register()

    answer = stranger.register(email=stranger.email.upper())

    assert answer.status_code == 409
    assert answer.json()["code"] == "email_taken"


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("email", "a b@example.com"), ("password", "short"), ("display_name", "")],
)
def test_a_registration_with_a_bad_field_is_refused(stranger: Streamer, field: str, value: str) -> None:
    answer = stranger.register(**{field: value})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_a_wrong_password_and_an_unknown_address_look_the_same(streamer: Streamer, stranger: Streamer) -> None:
    wrong_password = streamer.log_in(password="not the one")
    unknown_address = stranger.log_in()

    assert wrong_password.status_code == unknown_address.status_code == 401
    assert wrong_password.json() == unknown_address.json()


def test_a_made_up_token_is_refused(stranger: Streamer) -> None:
    stranger.token = "made-up"

    assert stranger.get("/auth/me").status_code == 401


def test_logging_out_ends_the_session(streamer: Streamer) -> None:
    assert streamer.post("/auth/logout").status_code == 204
    assert streamer.get("/auth/me").status_code == 401

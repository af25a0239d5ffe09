"""The life of an account: several devices, a forgotten password, a way out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from actors import Streamer

ATTEMPTS = 5


@pytest.fixture(scope="module")
def welcome(demo: Streamer) -> dict[str, Any]:
    """What visitors of the demo channel see first."""
    return demo.create_kit("Welcome")


def test_visitors_find_the_demo_channel_after_each_login(demo: Streamer, welcome: dict[str, Any]) -> None:
    for _ in range(3):
        demo.post("/auth/logout")
        assert demo.log_in().status_code == 200
        assert demo.get("/brand-kits").json()["items"] == [welcome]


def test_two_devices_log_out_one_by_one(streamer: Streamer) -> None:
    phone = dataclasses.replace(streamer)
    assert phone.log_in().status_code == 200
    assert phone.token != streamer.token

    streamer.post("/auth/logout")

    assert streamer.get("/auth/me").status_code == 401
    assert phone.get("/auth/me").json()["email"] == streamer.email


def test_an_account_keeps_its_things_from_login_to_login(streamer: Streamer) -> None:
    kit = streamer.create_kit("Stays here")
    streamer.post("/auth/logout")

    streamer.log_in()

    assert streamer.get("/brand-kits").json()["items"] == [kit]
    assert streamer.get("/auth/usage").json() == {"brand_kits": 1, "assets": 0, "asset_bytes": 0, "open_jobs": 0}


def test_too_many_wrong_passwords_lock_the_address_for_a_while(streamer: Streamer) -> None:
    for _ in range(ATTEMPTS):
        assert streamer.log_in(password="not the one").status_code == 401

    locked = streamer.log_in()

    assert locked.status_code == 429
    assert locked.json()["code"] == "too_many_attempts"
    assert 0 < int(locked.headers["retry-after"]) <= 60


def test_a_lock_leaves_open_sessions_alone(streamer: Streamer) -> None:
    for _ in range(ATTEMPTS + 1):
        streamer.log_in(password="not the one")

    assert streamer.get("/auth/me").status_code == 200


def test_a_success_forgets_the_failures_before(streamer: Streamer) -> None:
    for _ in range(2):
        for _ in range(ATTEMPTS - 1):
            assert streamer.log_in(password="not the one").status_code == 401
        assert streamer.log_in().status_code == 200


def test_the_demo_channel_is_as_it_was(demo: Streamer, welcome: dict[str, Any]) -> None:
    assert demo.get("/brand-kits").json()["items"] == [welcome]

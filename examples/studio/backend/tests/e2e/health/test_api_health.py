"""The API process answers."""

from __future__ import annotations

import httpx
import pytest


def test_health_says_ok_without_a_login(http: httpx.Client) -> None:
    answer = http.get("/health")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["service"] == "studio-api"


def test_health_answers_within_a_second(http: httpx.Client) -> None:
    assert http.get("/health", timeout=1).elapsed.total_seconds() < 1


def test_the_api_describes_itself(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]

    assert {"/auth/login", "/brand-kits", "/generation/jobs", "/coach/stream"} <= set(paths)


@pytest.mark.parametrize("path", ["/brand-kits", "/assets", "/generation/jobs", "/coach/tips", "/auth/me"])
def test_a_page_that_needs_a_login_says_so(http: httpx.Client, path: str) -> None:
    answer = http.get(path)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthorized"

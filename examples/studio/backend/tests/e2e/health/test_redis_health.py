"""Redis answers, and the API uses this one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx
import pytest
import redis

from actors import Streamer
from studio.sessions import SESSION_SECONDS, session_key
from studio.settings import Settings


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis_url, decode_responses=True, socket_timeout=3) as client:
        yield client


def test_the_api_reaches_redis(http: httpx.Client) -> None:
    answer = http.get("/health/redis")

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ok"


def test_a_value_comes_back_and_expires(client: redis.Redis) -> None:
    key = f"studio:test:{secrets.token_hex(8)}"

    assert client.set(key, "here", px=60_000)
    assert client.get(key) == "here"
    assert 0 < client.pttl(key) <= 60_000
    assert client.delete(key) == 1
    assert client.get(key) is None


def test_sessions_live_here_with_an_expiry(client: redis.Redis, streamer: Streamer) -> None:
    assert client.exists(session_key(streamer.token)) == 1
    assert 0 < client.ttl(session_key(streamer.token)) <= SESSION_SECONDS


def test_the_token_itself_is_not_stored(client: redis.Redis, streamer: Streamer) -> None:
    assert streamer.token not in session_key(streamer.token)
    assert client.get(session_key(streamer.token)) != streamer.token

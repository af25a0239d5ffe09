"""Who is logged in, and who has tried too often: both live in Redis and expire there."""

from __future__ import annotations

import hashlib
import secrets
from typing import cast

import redis

SESSION_SECONDS = 3600
ATTEMPTS = 5
ATTEMPT_SECONDS = 60


def connect(redis_url: str) -> redis.Redis:
    """Return a client that connects on first use and gives up soon."""
    return redis.Redis.from_url(redis_url, decode_responses=True, socket_timeout=3, socket_connect_timeout=2)


def session_key(token: str) -> str:
    """Name the session of a token. Only the hash is stored, so a look into Redis reveals no token."""
    return f"studio:session:{hashlib.sha256(token.encode()).hexdigest()}"


def attempts_key(email: str) -> str:
    """Name the counter of failed logins of an e-mail address."""
    return f"studio:attempts:{hashlib.sha256(email.encode()).hexdigest()}"


class Sessions:
    """Tokens and the users behind them."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def start(self, user_id: str) -> str:
        """Return a new token for the user."""
        token = secrets.token_urlsafe(32)
        self._client.set(session_key(token), user_id, ex=SESSION_SECONDS)
        return token

    def user_id(self, token: str) -> str | None:
        """Return the user behind the token, and let the session live on."""
        key = session_key(token)
        user_id = cast("str | None", self._client.get(key))
        if user_id is not None:
            self._client.expire(key, SESSION_SECONDS)
        return user_id

    def end(self, token: str) -> None:
        """Forget the token."""
        self._client.delete(session_key(token))


class LoginAttempts:
    """Failed logins per e-mail address, within one minute of the first."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def wait(self, email: str) -> int:
        """Return for how many seconds this address has to wait: 0 means go ahead."""
        key = attempts_key(email)
        if int(cast("str | None", self._client.get(key)) or 0) < ATTEMPTS:
            return 0
        return max(1, self._client.ttl(key))

    def failed(self, email: str) -> None:
        """Count one failure. The first starts the clock."""
        key = attempts_key(email)
        with self._client.pipeline(transaction=True) as pipe:
            pipe.set(key, 0, ex=ATTEMPT_SECONDS, nx=True)
            pipe.incr(key)
            pipe.execute()

    def clear(self, email: str) -> None:
        """Forget the failures after a success."""
        self._client.delete(attempts_key(email))

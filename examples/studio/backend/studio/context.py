"""What a request can reach: the parts of the running API, and the user behind the token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, cast

import redis
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from studio.database import Database
from studio.errors import ApiError
from studio.faults import Faults
from studio.sessions import LoginAttempts, Sessions, connect
from studio.settings import Settings
from studio.storage import Storage


@dataclass
class Studio:
    """The parts of one running API."""

    settings: Settings
    database: Database
    redis: redis.Redis
    storage: Storage
    faults: Faults
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def assemble(cls, settings: Settings) -> Studio:
        """Build the parts; nothing connects yet."""
        return cls(
            settings=settings,
            database=Database(settings.database_url),
            redis=connect(settings.redis_url),
            storage=Storage(settings.storage),
            faults=Faults.parse(settings.faults),
        )

    @property
    def sessions(self) -> Sessions:
        """Who is logged in."""
        return Sessions(self.redis)

    @property
    def login_attempts(self) -> LoginAttempts:
        """Who has tried too often."""
        return LoginAttempts(self.redis)

    def close(self) -> None:
        """Let go of all connections."""
        self.redis.close()
        self.database.close()


def _studio(request: Request) -> Studio:
    return cast(Studio, request.app.state.studio)


TheStudio = Annotated[Studio, Depends(_studio)]

_bearer = HTTPBearer(auto_error=False)


def _token(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    if credentials is None:
        raise _unauthorized("Log in first.")
    return credentials.credentials


Token = Annotated[str, Depends(_token)]


def _user_id(studio: TheStudio, token: Token) -> str:
    user_id = studio.sessions.user_id(token)
    if user_id is None:
        raise _unauthorized("This session has ended. Log in again.")
    return user_id


UserId = Annotated[str, Depends(_user_id)]


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, "unauthorized", message, headers={"WWW-Authenticate": "Bearer"})

"""Accounts: register, log in, who am I, log out."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from studio import procedures
from studio.context import TheStudio, Token, UserId
from studio.errors import ApiError
from studio.passwords import hash_password, verify_password
from studio.schema import now, users
from studio.sessions import SESSION_SECONDS

router = APIRouter(prefix="/auth", tags=["auth"])

# Verified when nobody has the address, so that the answer takes equally long.
_NOBODY = hash_password("nobody")


def _email(value: str) -> str:
    local, at, domain = value.strip().lower().rpartition("@")
    if not (local and at and "." in domain.strip(".")) or any(character.isspace() for character in value.strip()):
        raise ValueError("must be an e-mail address such as sam@example.com")
    return f"{local}@{domain}"


Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]
Password = Annotated[str, Field(min_length=10, max_length=200)]


class Registration(BaseModel):
    """What a new user tells us."""

    email: Email
    password: Password
    display_name: Annotated[str, Field(min_length=1, max_length=60)]


class Credentials(BaseModel):
    """What a login needs."""

    email: Email
    password: Annotated[str, Field(max_length=200)]


class User(BaseModel):
    """What everybody may know about themselves."""

    id: str
    email: str
    display_name: str
    created_at: datetime


class Session(BaseModel):
    """A token, and for how long it works when unused."""

    token: str
    expires_in: int
    user: User


class Usage(BaseModel):
    """What the user has."""

    brand_kits: int
    assets: int
    asset_bytes: int
    open_jobs: int


@router.post("/register", status_code=201)
def register(registration: Registration, studio: TheStudio) -> User:
    """Create an account."""
    user = User(id=uuid.uuid4().hex, email=registration.email, display_name=registration.display_name, created_at=now())
    row = user.model_dump() | {"password_hash": hash_password(registration.password)}
    try:
        with studio.database.as_owner() as connection:
            connection.execute(insert(users).values(row))
    except IntegrityError:
        raise ApiError(409, "email_taken", "There is an account with this e-mail address already.") from None
    return user


@router.post("/login")
def login(credentials: Credentials, studio: TheStudio) -> Session:
    """Exchange e-mail and password for a token."""
    wait = studio.login_attempts.wait(credentials.email)
    if wait:
        message = f"Too many failed logins. Try again in {wait} seconds."
        raise ApiError(429, "too_many_attempts", message, headers={"Retry-After": str(wait)})
    with studio.database.as_owner() as connection:
        row = connection.execute(select(users).where(users.c.email == credentials.email)).mappings().one_or_none()
    known = verify_password(credentials.password, row["password_hash"] if row else _NOBODY)
    if row is None or not known:
        studio.login_attempts.failed(credentials.email)
        raise ApiError(401, "wrong_credentials", "E-mail address or password is wrong.")
    studio.login_attempts.clear(credentials.email)
    user = User.model_validate(dict(row))
    return Session(token=studio.sessions.start(user.id), expires_in=SESSION_SECONDS, user=user)


@router.get("/me")
def me(studio: TheStudio, user_id: UserId) -> User:
    """Return the user behind the token."""
    with studio.database.as_owner() as connection:
        row = connection.execute(select(users).where(users.c.id == user_id)).mappings().one_or_none()
    if row is None:
        raise ApiError(401, "unauthorized", "This account no longer exists.")
    return User.model_validate(dict(row))


@router.get("/usage")
def usage(studio: TheStudio, user_id: UserId) -> Usage:
    """Return what the user has."""
    with studio.database.acting_as(user_id) as connection:
        return Usage.model_validate(procedures.usage(connection))


@router.post("/logout", status_code=204)
def logout(studio: TheStudio, token: Token) -> None:
    """End the session; ending it twice is fine."""
    studio.sessions.end(token)

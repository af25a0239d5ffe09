"""Brand kits: name and colours, at most ten per user."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from studio import procedures
from studio.context import Studio, TheStudio, UserId
from studio.errors import ApiError, not_found
from studio.faults import Fault
from studio.schema import BRAND_KIT_LIMIT, brand_kits, now, own_brand_kits

router = APIRouter(prefix="/brand-kits", tags=["brand kits"])

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
HexColour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$", to_lower=True)]


class NewBrandKit(BaseModel):
    """A brand kit to be."""

    name: Name
    primary_colour: HexColour = "#6d28d9"
    accent_colour: HexColour = "#f59e0b"


class BrandKitChanges(BaseModel):
    """What to change; what is absent stays."""

    name: Name | None = None
    primary_colour: HexColour | None = None
    accent_colour: HexColour | None = None


class BrandKit(BaseModel):
    """A brand kit as the API shows it."""

    id: str
    name: str
    primary_colour: str
    accent_colour: str
    has_logo: bool
    created_at: datetime
    updated_at: datetime


class BrandKits(BaseModel):
    """All kits of a user, oldest first, and how many there may be."""

    items: list[BrandKit]
    limit: Annotated[int, Field(description="The largest number of kits a user can have.")]


@router.get("")
def list_kits(studio: TheStudio, user_id: UserId) -> BrandKits:
    """Return all kits of the user."""
    with studio.database.acting_as(user_id) as connection:
        query = select(own_brand_kits).order_by(own_brand_kits.c.created_at, own_brand_kits.c.id)
        return BrandKits(items=[_shown(row) for row in connection.execute(query).mappings()], limit=BRAND_KIT_LIMIT)


@router.post("", status_code=201)
def create_kit(kit: NewBrandKit, studio: TheStudio, user_id: UserId) -> BrandKit:
    """Create a kit, unless the user has ten."""
    kit_id, moment = uuid.uuid4().hex, now()
    row = kit.model_dump() | {"id": kit_id, "user_id": user_id, "created_at": moment, "updated_at": moment}
    with _unique_name(kit.name), studio.database.acting_as(user_id) as connection:
        if not procedures.brand_kits_left(connection, limit=_limit(studio)):
            message = f"You have {BRAND_KIT_LIMIT} brand kits, which is the limit. Delete one first."
            raise ApiError(409, "brand_kit_limit", message, limit=BRAND_KIT_LIMIT)
        connection.execute(insert(brand_kits).values(row))
        return _shown(find_kit(connection, kit_id))


@router.get("/{kit_id}")
def read_kit(kit_id: str, studio: TheStudio, user_id: UserId) -> BrandKit:
    """Return one kit."""
    with studio.database.acting_as(user_id) as connection:
        return _shown(find_kit(connection, kit_id))


@router.patch("/{kit_id}")
def change_kit(kit_id: str, changes: BrandKitChanges, studio: TheStudio, user_id: UserId) -> BrandKit:
    """Change some fields of a kit."""
    values = changes.model_dump(exclude_none=True)
    with _unique_name(changes.name), studio.database.acting_as(user_id) as connection:
        if values:
            connection.execute(update(brand_kits).where(brand_kits.c.id == kit_id).values(values))
        return _shown(find_kit(connection, kit_id))


@router.delete("/{kit_id}", status_code=204)
def delete_kit(kit_id: str, studio: TheStudio, user_id: UserId) -> None:
    """Delete a kit and its logo. What was made with it stays."""
    with studio.database.acting_as(user_id) as connection:
        logo_key = find_kit(connection, kit_id)["logo_key"]
        connection.execute(delete(brand_kits).where(brand_kits.c.id == kit_id))
    if logo_key:
        studio.storage.delete(logo_key)


def find_kit(connection: Connection, kit_id: str) -> RowMapping:
    """Return the acting user's kit, or answer 404."""
    query = select(own_brand_kits).where(own_brand_kits.c.id == kit_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise not_found("brand kit")
    return row


def _limit(studio: Studio) -> int:
    return BRAND_KIT_LIMIT + (Fault.BROKEN in studio.faults)


def _shown(row: RowMapping) -> BrandKit:
    fields: dict[str, Any] = dict(row)
    return BrandKit.model_validate(fields | {"has_logo": fields["logo_key"] is not None})


@contextmanager
def _unique_name(name: str | None) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise ApiError(409, "name_taken", f"You have a brand kit named {name!r} already.") from None

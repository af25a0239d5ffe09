"""Assets: the images that were made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping, delete, select

from studio.context import TheStudio, UserId
from studio.errors import not_found
from studio.schema import assets, own_assets

router = APIRouter(prefix="/assets", tags=["assets"])


class Asset(BaseModel):
    """An image as the API lists it."""

    id: str
    job_id: str
    asset_type: str
    title: str
    width: int
    height: int
    bytes: int
    created_at: datetime


@router.get("")
def list_assets(
    studio: TheStudio, user_id: UserId, asset_type: Annotated[str | None, Query(max_length=20)] = None
) -> list[Asset]:
    """Return the user's images, newest first, perhaps of one type only."""
    query = select(own_assets).order_by(own_assets.c.created_at.desc())
    if asset_type is not None:
        query = query.where(own_assets.c.asset_type == asset_type)
    with studio.database.acting_as(user_id) as connection:
        return [Asset.model_validate(dict(row)) for row in connection.execute(query).mappings()]


@router.get("/{asset_id}")
def read_asset(asset_id: str, studio: TheStudio, user_id: UserId) -> Asset:
    """Describe one image."""
    with studio.database.acting_as(user_id) as connection:
        return Asset.model_validate(dict(_find(connection, asset_id)))


@router.get("/{asset_id}/file", response_class=Response)
def download(asset_id: str, studio: TheStudio, user_id: UserId) -> Response:
    """Serve one image as a file."""
    with studio.database.acting_as(user_id) as connection:
        asset = _find(connection, asset_id)
    content = studio.storage.read(asset["file_key"])
    if content is None:
        raise not_found("file")
    disposition = f'attachment; filename="{asset["asset_type"]}-{asset_id[:8]}.png"'
    return Response(content, media_type="image/png", headers={"Content-Disposition": disposition})


@router.delete("/{asset_id}", status_code=204)
def delete_asset(asset_id: str, studio: TheStudio, user_id: UserId) -> None:
    """Delete one image."""
    with studio.database.acting_as(user_id) as connection:
        file_key = _find(connection, asset_id)["file_key"]
        connection.execute(delete(assets).where(assets.c.id == asset_id))
    studio.storage.delete(file_key)


def _find(connection: Connection, asset_id: str) -> RowMapping:
    row = connection.execute(select(own_assets).where(own_assets.c.id == asset_id)).mappings().one_or_none()
    if row is None:
        raise not_found("asset")
    return row

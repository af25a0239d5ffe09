"""The logo of a brand kit: a PNG file of at most 512 KiB."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Response, UploadFile
from pydantic import BaseModel
from sqlalchemy import update

from studio import png
from studio.context import Studio, TheStudio, UserId
from studio.errors import ApiError, not_found
from studio.routes.brand_kits import find_kit
from studio.schema import brand_kits

LOGO_MAX_BYTES = 512 * 1024

router = APIRouter(prefix="/brand-kits/{kit_id}/logo", tags=["logos"])


class Logo(BaseModel):
    """What was understood of an uploaded logo."""

    width: int
    height: int
    bytes: int


@router.put("")
def upload_logo(kit_id: str, file: UploadFile, studio: TheStudio, user_id: UserId) -> Logo:
    """Store the logo, in place of the one before."""
    content = read_png(file, max_bytes=LOGO_MAX_BYTES)
    width, height = png.dimensions(content)
    key = f"logos/{user_id}/{uuid.uuid4().hex}.png"
    studio.storage.write(key, content)
    _replace_key(studio, user_id, kit_id, key)
    return Logo(width=width, height=height, bytes=len(content))


@router.get("", response_class=Response)
def read_logo(kit_id: str, studio: TheStudio, user_id: UserId) -> Response:
    """Serve the logo."""
    with studio.database.acting_as(user_id) as connection:
        key = find_kit(connection, kit_id)["logo_key"]
    content = studio.storage.read(key) if key else None
    if content is None:
        raise not_found("logo")
    return Response(content, media_type="image/png", headers={"Cache-Control": "private, no-cache"})


@router.delete("", status_code=204)
def delete_logo(kit_id: str, studio: TheStudio, user_id: UserId) -> None:
    """Take the logo away; a kit without one is left as it is."""
    _replace_key(studio, user_id, kit_id, None)


def read_png(file: UploadFile, *, max_bytes: int) -> bytes:
    """Return the content of an upload, or answer why it is not a PNG file of an acceptable size."""
    content = file.file.read(max_bytes + 1)
    if len(content) > max_bytes:
        message = f"The file is larger than {max_bytes // 1024} KiB."
        raise ApiError(413, "file_too_large", message, max_bytes=max_bytes)
    try:
        png.dimensions(content)
    except png.NotPngError as error:
        raise ApiError(415, "not_png", str(error)) from None
    return content


def _replace_key(studio: Studio, user_id: str, kit_id: str, key: str | None) -> None:
    """Point the kit at another file and drop the old one; on failure drop the new one."""
    drop = key
    try:
        with studio.database.acting_as(user_id) as connection:
            previous = find_kit(connection, kit_id)["logo_key"]
            connection.execute(update(brand_kits).where(brand_kits.c.id == kit_id).values(logo_key=key))
        drop = previous
    finally:
        if drop:
            studio.storage.delete(drop)

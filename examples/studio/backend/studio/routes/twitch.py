"""Twitch: the specs, open to everybody, and a check of one's own image."""

from __future__ import annotations

from fastapi import APIRouter, UploadFile
from pydantic import BaseModel

from studio import png
from studio.context import UserId
from studio.errors import not_found
from studio.routes.logos import read_png
from studio.twitch import SPECS, Spec, problems

_CHECK_MAX_BYTES = 12 * 1024 * 1024

router = APIRouter(prefix="/twitch", tags=["twitch"])


class Verdict(BaseModel):
    """Whether an image fits, and why not."""

    fits: bool
    width: int
    height: int
    bytes: int
    problems: list[str]


@router.get("/specs")
def list_specs() -> list[dict[str, object]]:
    """Return what Twitch asks of every kind of artwork."""
    return [spec.as_json() for spec in SPECS.values()]


@router.get("/specs/{asset_type}")
def read_spec(asset_type: str) -> dict[str, object]:
    """Return what Twitch asks of one kind of artwork."""
    return _find(asset_type).as_json()


@router.post("/specs/{asset_type}/check")
def check(asset_type: str, file: UploadFile, user_id: UserId) -> Verdict:
    """Say whether an image would be accepted as this kind of artwork."""
    spec = _find(asset_type)
    content = read_png(file, max_bytes=_CHECK_MAX_BYTES)
    width, height = png.dimensions(content)
    found = problems(spec, width=width, height=height, size=len(content))
    return Verdict(fits=not found, width=width, height=height, bytes=len(content), problems=found)


def _find(asset_type: str) -> Spec:
    try:
        return SPECS[asset_type]
    except KeyError:
        raise not_found("spec") from None

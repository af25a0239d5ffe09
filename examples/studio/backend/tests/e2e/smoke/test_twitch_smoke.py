"""The specs are there, and an image can be held against them."""

from __future__ import annotations

import httpx
import pytest

from actors import Streamer
from images import make_png

SIZES = {
    "emote": (112, 112),
    "badge": (72, 72),
    "panel": (320, 160),
    "profile": (256, 256),
    "banner": (1200, 480),
    "offline": (1920, 1080),
    "overlay": (1920, 1080),
    "thumbnail": (1280, 720),
}


def test_the_specs_are_open_to_everybody(http: httpx.Client) -> None:
    specs = http.get("/twitch/specs").json()

    assert {spec["asset_type"]: (spec["width"], spec["height"]) for spec in specs} == SIZES
    assert all(spec["max_bytes"] > 0 and spec["purpose"] for spec in specs)


def test_one_spec_can_be_read_alone(http: httpx.Client) -> None:
    assert http.get("/twitch/specs/badge").json()["max_bytes"] == 25 * 1024


def test_an_unknown_spec_is_not_found(http: httpx.Client) -> None:
    assert http.get("/twitch/specs/poster").status_code == 404


def test_an_image_of_the_right_size_fits(streamer: Streamer) -> None:
    verdict = _check(streamer, "emote", make_png(112, 112)).json()

    assert verdict["fits"] is True
    assert verdict["problems"] == []


def test_an_image_of_the_wrong_size_is_told_the_right_one(streamer: Streamer) -> None:
    verdict = _check(streamer, "emote", make_png(100, 112)).json()

    assert verdict["fits"] is False
    assert verdict["problems"] == ["is 100x112 pixels, must be 112x112"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", make_png(4, 4)[:20]], ids=["empty", "a GIF", "cut off"])
def test_what_is_not_png_cannot_be_checked(streamer: Streamer, content: bytes) -> None:
    assert _check(streamer, "emote", content).status_code == 415


def test_checking_needs_a_login(http: httpx.Client) -> None:
    files = {"file": ("image.png", make_png(1, 1), "image/png")}

    assert http.post("/twitch/specs/emote/check", files=files).status_code == 401


def _check(streamer: Streamer, asset_type: str, content: bytes) -> httpx.Response:
    return streamer.post(f"/twitch/specs/{asset_type}/check", files={"file": ("image.png", content, "image/png")})

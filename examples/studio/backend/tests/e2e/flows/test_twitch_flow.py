"""A whole channel: everything the studio makes is what Twitch asks for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from actors import Streamer
from images import read_png

KINDS = ["emote", "badge", "panel", "profile", "banner"]


@pytest.fixture(scope="module")
def channel(demo: Streamer) -> list[dict[str, Any]]:
    """One of each, as a channel needs them."""
    return [demo.make_image(kind) for kind in KINDS]


def test_visitors_see_a_whole_channel(demo: Streamer, channel: list[dict[str, Any]]) -> None:
    assert [asset["asset_type"] for asset in demo.get("/assets").json()] == KINDS[::-1]


@pytest.mark.parametrize("asset_type", KINDS)
def test_what_the_studio_makes_passes_its_own_check(streamer: Streamer, asset_type: str) -> None:
    asset = streamer.make_image(asset_type)
    content = streamer.get(f"/assets/{asset['id']}/file").content

    verdict = streamer.post(f"/twitch/specs/{asset_type}/check", files={"file": ("made.png", content, "image/png")})

    assert verdict.json()["problems"] == []
    assert verdict.json()["fits"] is True


def test_an_emote_has_see_through_corners(streamer: Streamer) -> None:
    asset = streamer.make_image("emote")

    image = read_png(streamer.get(f"/assets/{asset['id']}/file").content)

    corners = [image.pixel(x, y)[3] for x in (0, 111) for y in (0, 111)]
    assert corners == [0, 0, 0, 0]
    assert image.pixel(56, 4)[3] == 255


def test_an_overlay_is_a_frame_around_nothing(streamer: Streamer, http: httpx.Client) -> None:
    spec: dict[str, Any] = http.get("/twitch/specs/overlay").json()
    asset = streamer.make_image("overlay")

    image = read_png(streamer.get(f"/assets/{asset['id']}/file").content)

    assert (image.width, image.height) == (spec["width"], spec["height"])
    assert image.pixel(960, 540)[3] == 0
    assert image.pixel(5, 5)[3] == 255


def test_an_emote_does_not_pass_as_a_badge(streamer: Streamer) -> None:
    asset = streamer.make_image("emote")
    content = streamer.get(f"/assets/{asset['id']}/file").content

    verdict = streamer.post("/twitch/specs/badge/check", files={"file": ("made.png", content, "image/png")}).json()

    assert verdict["fits"] is False
    assert verdict["problems"] == ["is 112x112 pixels, must be 72x72"]


def test_the_channel_is_still_whole(demo: Streamer, channel: list[dict[str, Any]]) -> None:
    assert demo.get("/assets").json() == channel[::-1]

"""Images that were made can be listed, downloaded and deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors import Streamer
from images import read_png


@pytest.fixture
def emote(streamer: Streamer) -> dict[str, object]:
    return streamer.make_image("emote")


def test_a_new_user_has_no_assets(streamer: Streamer) -> None:
    assert streamer.get("/assets").json() == []


def test_an_asset_downloads_as_the_png_it_claims_to_be(streamer: Streamer, emote: dict[str, object]) -> None:
    answer = streamer.get(f"/assets/{emote['id']}/file")

    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith('attachment; filename="emote-')
    assert len(answer.content) == emote["bytes"]
    image = read_png(answer.content)
    assert (image.width, image.height) == (emote["width"], emote["height"]) == (112, 112)


def test_the_list_can_be_narrowed_to_one_type(streamer: Streamer, emote: dict[str, object]) -> None:
    badge = streamer.make_image("badge")

    assert [asset["id"] for asset in streamer.get("/assets").json()] == [badge["id"], emote["id"]]
    assert [asset["id"] for asset in streamer.get("/assets?asset_type=emote").json()] == [emote["id"]]


def test_a_deleted_asset_is_gone_with_its_file(streamer: Streamer, emote: dict[str, object]) -> None:
    assert streamer.delete(f"/assets/{emote['id']}").status_code == 204

    assert streamer.get(f"/assets/{emote['id']}").status_code == 404
    assert streamer.get(f"/assets/{emote['id']}/file").status_code == 404
    assert streamer.get("/assets").json() == []


def test_nobody_sees_the_assets_of_others(
    streamer: Streamer, emote: dict[str, object], new_streamer: Callable[[], Streamer]
) -> None:
    stranger = new_streamer()

    assert stranger.get("/assets").json() == []
    assert stranger.get(f"/assets/{emote['id']}/file").status_code == 404
    assert stranger.delete(f"/assets/{emote['id']}").status_code == 404
    assert streamer.get(f"/assets/{emote['id']}").status_code == 200

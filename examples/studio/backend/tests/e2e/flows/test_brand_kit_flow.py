"""A kit from the first idea to the image that is made with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from actors import Streamer
from images import make_png, read_png

LIMIT = 10


@pytest.fixture(scope="module")
def looks(demo: Streamer) -> list[dict[str, Any]]:
    """As many as one channel can have."""
    return [demo.create_kit(f"Look {number}") for number in range(LIMIT)]


def test_visitors_see_every_look(demo: Streamer, looks: list[dict[str, Any]]) -> None:
    assert demo.get("/brand-kits").json()["items"] == looks
    assert demo.post("/brand-kits", json={"name": "One more"}).status_code == 409


def test_a_kit_grows_up(streamer: Streamer) -> None:
    kit = streamer.create_kit("Draft", primary_colour="#111111")
    path = f"/brand-kits/{kit['id']}"

    streamer.patch(path, json={"name": "Launch", "primary_colour": "#0055ff"})
    streamer.put(f"{path}/logo", files={"file": ("logo.png", make_png(32, 32), "image/png")})

    grown = streamer.get(path).json()
    assert grown["name"] == "Launch"
    assert grown["has_logo"] is True
    assert streamer.get("/brand-kits").json()["items"] == [grown]


def test_the_colours_of_a_kit_reach_the_image(streamer: Streamer) -> None:
    kit = streamer.create_kit(primary_colour="#0000ff", accent_colour="#00ff00")

    asset = streamer.make_image("panel", brand_kit_id=kit["id"])

    image = read_png(streamer.get(f"/assets/{asset['id']}/file").content)
    assert image.pixel(0, 0) == (0, 0, 255, 255)
    assert image.pixel(image.width - 4, image.height // 2) == (0, 255, 0, 255)


def test_an_image_outlives_its_kit(streamer: Streamer) -> None:
    kit = streamer.create_kit()
    asset = streamer.make_image("badge", brand_kit_id=kit["id"])

    streamer.delete(f"/brand-kits/{kit['id']}")

    assert streamer.get(f"/assets/{asset['id']}/file").status_code == 200
    assert streamer.get(f"/generation/jobs/{asset['job_id']}").json()["brand_kit_id"] is None


def test_deleting_one_makes_room_for_another(streamer: Streamer) -> None:
    kits = [streamer.create_kit(f"Kit {number}") for number in range(LIMIT)]
    streamer.delete(f"/brand-kits/{kits[3]['id']}")

    streamer.create_kit("Late arrival")

    names = [kit["name"] for kit in streamer.get("/brand-kits").json()["items"]]
    assert len(names) == LIMIT
    assert names[-1] == "Late arrival"


def test_the_last_place_is_given_away_once(streamer: Streamer) -> None:
    for number in range(LIMIT - 1):
        streamer.create_kit(f"Kit {number}")

    def create(number: int) -> int:
        return streamer.post("/brand-kits", json={"name": f"Contender {number}"}).status_code

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(create, range(4)))

    assert codes == [201, 409, 409, 409]


def test_the_looks_are_what_they_were(demo: Streamer, looks: list[dict[str, Any]]) -> None:
    assert demo.get("/brand-kits").json()["items"] == looks

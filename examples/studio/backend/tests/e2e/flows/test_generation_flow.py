"""From an order to the finished file, several at once, and cleaned up after."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from actors import Streamer
from images import read_png


@pytest.fixture(scope="module")
def tour(demo: Streamer) -> list[dict[str, Any]]:
    """What visitors are shown as made here."""
    return [demo.make_image(kind, "Welcome") for kind in ("emote", "badge", "panel")]


def test_visitors_see_what_was_made(demo: Streamer, tour: list[dict[str, Any]]) -> None:
    total = sum(asset["bytes"] for asset in tour)
    usage = demo.get("/auth/usage").json()
    assert usage == {"brand_kits": 0, "assets": len(tour), "asset_bytes": total, "open_jobs": 0}


def test_from_the_kit_to_the_download(streamer: Streamer) -> None:
    kit = streamer.create_kit("Launch", primary_colour="#203040")

    job = streamer.finished(streamer.request_image("profile", "Launch day", brand_kit_id=kit["id"]))

    assert job["brand_kit_id"] == kit["id"]
    asset = streamer.get(f"/assets/{job['asset_id']}").json()
    assert asset["title"] == "Launch day"
    assert asset["job_id"] == job["id"]
    image = read_png(streamer.get(f"/assets/{asset['id']}/file").content)
    assert (image.width, image.height) == (256, 256)


def test_several_orders_at_once_all_arrive(streamer: Streamer) -> None:
    kinds = ["emote", "badge", "panel", "profile"]
    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(streamer.request_image, kinds))

    done = [streamer.finished(job) for job in jobs]

    assert {job["state"] for job in done} == {"done"}
    assert sorted(asset["asset_type"] for asset in streamer.get("/assets").json()) == sorted(kinds)


def test_the_usage_follows_what_happens(streamer: Streamer) -> None:
    assets = [streamer.make_image("badge", f"Tier {tier}") for tier in (1, 2)]
    total = sum(asset["bytes"] for asset in assets)
    usage = streamer.get("/auth/usage").json()
    assert usage == {"brand_kits": 0, "assets": 2, "asset_bytes": total, "open_jobs": 0}

    streamer.delete(f"/assets/{assets[0]['id']}")

    usage = streamer.get("/auth/usage").json()
    assert (usage["assets"], usage["asset_bytes"]) == (1, assets[1]["bytes"])


def test_jobs_and_kits_of_others_are_out_of_reach(streamer: Streamer, new_streamer: Callable[[], Streamer]) -> None:
    kit = streamer.create_kit()
    job = streamer.request_image("emote")
    stranger = new_streamer()

    assert stranger.get(f"/generation/jobs/{job['id']}").status_code == 404
    body = {"asset_type": "emote", "title": "Borrowed", "brand_kit_id": kit["id"]}
    assert stranger.post("/generation/jobs", json=body).status_code == 404
    assert stranger.get("/generation/jobs").json() == []


def test_what_was_made_is_still_shown(demo: Streamer, tour: list[dict[str, Any]]) -> None:
    assert demo.get("/assets").json() == tour[::-1]

"""Files can be written and read back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from actors import Streamer
from images import make_png


def test_storage_accepts_a_file(http: httpx.Client) -> None:
    answer = http.get("/health/storage")

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ok"


def test_storage_serves_several_at_once(http: httpx.Client) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: http.get("/health/storage"), range(8)))

    assert [answer.status_code for answer in answers] == [200] * 8


def test_a_file_comes_back_byte_by_byte(streamer: Streamer) -> None:
    content = make_png(64, 64)
    logo = f"/brand-kits/{streamer.create_kit()['id']}/logo"

    streamer.put(logo, files={"file": ("logo.png", content, "image/png")}).raise_for_status()

    assert streamer.get(logo).content == content

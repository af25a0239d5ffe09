"""A brand kit takes a logo, if it is one."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from actors import Streamer
from images import make_png

MAX_BYTES = 512 * 1024


@pytest.fixture
def kit(streamer: Streamer) -> str:
    return str(streamer.create_kit()["id"])


def test_an_uploaded_logo_is_served_back(streamer: Streamer, kit: str) -> None:
    content = make_png(48, 32)

    answer = _upload(streamer, kit, content)

    assert answer.json() == {"width": 48, "height": 32, "bytes": len(content)}
    served = streamer.get(f"/brand-kits/{kit}/logo")
    assert served.headers["content-type"] == "image/png"
    assert served.content == content
    assert streamer.get(f"/brand-kits/{kit}").json()["has_logo"] is True


def test_a_kit_without_a_logo_has_none_to_serve(streamer: Streamer, kit: str) -> None:
    assert streamer.get(f"/brand-kits/{kit}/logo").status_code == 404


def test_a_file_that_only_calls_itself_png_is_refused(streamer: Streamer, kit: str) -> None:
    answer = _upload(streamer, kit, b"<svg xmlns='http://www.w3.org/2000/svg'/>")

    assert answer.status_code == 415
    assert answer.json()["code"] == "not_png"


def test_a_logo_may_have_the_largest_size_and_no_byte_more(streamer: Streamer, kit: str) -> None:
    largest = make_png(8, 8).ljust(MAX_BYTES, b"\0")

    assert _upload(streamer, kit, largest).status_code == 200
    refused = _upload(streamer, kit, largest + b"\0")

    assert refused.status_code == 413
    assert refused.json()["max_bytes"] == MAX_BYTES


def test_a_second_logo_replaces_the_first(streamer: Streamer, kit: str) -> None:
    second = make_png(16, 16, (0, 90, 200, 255))
    _upload(streamer, kit, make_png(16, 16))

    _upload(streamer, kit, second)

    assert streamer.get(f"/brand-kits/{kit}/logo").content == second


def test_a_logo_can_be_taken_away(streamer: Streamer, kit: str) -> None:
    _upload(streamer, kit, make_png(16, 16))

    assert streamer.delete(f"/brand-kits/{kit}/logo").status_code == 204
    assert streamer.get(f"/brand-kits/{kit}").json()["has_logo"] is False


def test_nobody_reaches_the_logo_of_others(streamer: Streamer, kit: str, new_streamer: Callable[[], Streamer]) -> None:
    _upload(streamer, kit, make_png(16, 16))
    stranger = new_streamer()

    assert stranger.get(f"/brand-kits/{kit}/logo").status_code == 404
    assert _upload(stranger, kit, make_png(8, 8)).status_code == 404


def _upload(streamer: Streamer, kit: str, content: bytes) -> httpx.Response:
    return streamer.put(f"/brand-kits/{kit}/logo", files={"file": ("logo.png", content, "image/png")})

"""The coach has tips, and sends them one by one."""

from __future__ import annotations

import httpx

from actors import Streamer


def test_tips_have_everything_a_reader_needs(streamer: Streamer) -> None:
    tips = streamer.get("/coach/tips").json()

    assert len(tips) >= 5
    assert len({tip["id"] for tip in tips}) == len(tips)
    assert all(tip["topic"] and tip["title"] and tip["text"] for tip in tips)


def test_tips_can_be_narrowed_to_one_topic(streamer: Streamer) -> None:
    tips = streamer.get("/coach/tips?topic=sound").json()

    assert {tip["topic"] for tip in tips} == {"sound"}


def test_an_unknown_topic_is_refused_with_the_known_ones(streamer: Streamer) -> None:
    for path in ("/coach/tips", "/coach/stream"):
        answer = streamer.get(f"{path}?topic=cooking")
        assert answer.status_code == 422
        assert "branding" in answer.json()["known"]


def test_the_stream_is_an_event_stream_that_ends_when_asked(streamer: Streamer) -> None:
    answer = streamer.get("/coach/stream?limit=2")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.count("event: tip\n") == 2
    assert answer.text.endswith("event: end\ndata: {}\n\n")


def test_the_stream_needs_a_login(http: httpx.Client) -> None:
    assert http.get("/coach/stream").status_code == 401


def test_a_tip_can_be_ticked_off_twice(streamer: Streamer) -> None:
    for _ in range(2):
        assert streamer.put("/coach/progress/3").status_code == 204

    assert [done["tip_id"] for done in streamer.get("/coach/progress").json()["done"]] == [3]


def test_a_tip_that_is_not_there_cannot_be_ticked_off(streamer: Streamer) -> None:
    assert streamer.put("/coach/progress/999").status_code == 404

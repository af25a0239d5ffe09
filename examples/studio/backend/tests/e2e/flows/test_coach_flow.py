"""Listening to the coach: live, interrupted, resumed, and ticked off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from actors import Streamer


def test_tips_arrive_while_the_stream_is_open(streamer: Streamer) -> None:
    known = {tip["id"]: tip for tip in streamer.get("/coach/tips").json()}

    events = list(islice(_listen(streamer), 2))

    assert [event["id"] for event in events] == [1, 2]
    assert all(known[event["tip"]["id"]] == event["tip"] for event in events)


def test_a_listener_who_was_cut_off_resumes_after_the_last_tip(streamer: Streamer) -> None:
    last = next(_listen(streamer))

    resumed = next(_listen(streamer, after=last["id"]))

    assert resumed["id"] == last["id"] + 1
    assert resumed["tip"] != last["tip"]


def test_a_stream_on_one_topic_stays_on_it(streamer: Streamer) -> None:
    topics = {event["tip"]["topic"] for event in islice(_listen(streamer, topic="branding"), 2)}

    assert topics == {"branding"}


def test_following_a_tip_is_remembered_for_this_user_only(
    streamer: Streamer, new_streamer: Callable[[], Streamer]
) -> None:
    tip = next(_listen(streamer))["tip"]

    streamer.put(f"/coach/progress/{tip['id']}")

    progress = streamer.get("/coach/progress").json()
    assert [done["tip_id"] for done in progress["done"]] == [tip["id"]]
    assert progress["total"] == len(streamer.get("/coach/tips").json())
    assert new_streamer().get("/coach/progress").json()["done"] == []


@pytest.mark.parametrize("limit", [0, 51, "many"])
def test_a_stream_without_a_sensible_length_is_refused(streamer: Streamer, limit: object) -> None:
    assert streamer.get(f"/coach/stream?limit={limit}").status_code == 422


def _listen(streamer: Streamer, *, after: int = 0, topic: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield events one by one as they arrive, and hang up when the caller has enough."""
    params = {"topic": topic} if topic else {}
    headers = streamer.headers | {"Last-Event-ID": str(after)}
    with streamer.http.stream("GET", "/coach/stream", params=params, headers=headers) as answer:
        assert answer.status_code == 200
        event_id = 0
        for line in answer.iter_lines():
            field, _, value = line.partition(": ")
            if field == "id":
                event_id = int(value)
            elif field == "data":
                yield {"id": event_id, "tip": json.loads(value)}

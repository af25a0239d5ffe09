"""A job is accepted, worked off and remembered."""

from __future__ import annotations

from actors import Streamer


def test_a_job_is_accepted_at_once_and_done_soon(streamer: Streamer) -> None:
    job = streamer.request_image("emote", "Hello there")
    assert job["state"] == "queued"
    assert job["asset_id"] is None

    done = streamer.finished(job)

    assert done["state"] == "done"
    assert done["error"] is None
    assert done["asset_id"]


def test_an_unknown_asset_type_is_refused_with_the_known_ones(streamer: Streamer) -> None:
    answer = streamer.post("/generation/jobs", json={"asset_type": "poster", "title": "Hello"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_asset_type"
    assert "emote" in answer.json()["known"]


def test_a_job_needs_a_title(streamer: Streamer) -> None:
    assert streamer.post("/generation/jobs", json={"asset_type": "emote", "title": " "}).status_code == 422


def test_a_job_with_a_kit_that_is_not_there_is_refused(streamer: Streamer) -> None:
    body = {"asset_type": "emote", "title": "Hello", "brand_kit_id": "0" * 32}

    assert streamer.post("/generation/jobs", json=body).status_code == 404


def test_a_job_that_is_not_there_is_not_found(streamer: Streamer) -> None:
    assert streamer.get("/generation/jobs/nothing").status_code == 404


def test_jobs_are_listed_newest_first(streamer: Streamer) -> None:
    titles = ["First", "Second", "Third"]
    for title in titles:
        streamer.request_image("badge", title)

    listed = streamer.get("/generation/jobs").json()

    assert [job["title"] for job in listed] == titles[::-1]

"""The coach: tips to read, tips as they come, and which of them are done."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import count
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from studio.context import Studio, TheStudio, UserId
from studio.errors import ApiError, not_found
from studio.schema import coach_progress, now, own_coach_progress
from studio.tips import TIPS, TOPICS, Tip, about

_SECONDS_BETWEEN_TIPS = 0.25

router = APIRouter(prefix="/coach", tags=["coach"])

Topic = Annotated[str | None, Query(max_length=20)]


class Done(BaseModel):
    """A tip that was followed."""

    tip_id: int
    done_at: datetime


class Progress(BaseModel):
    """How far the user has come."""

    done: list[Done]
    total: int


@router.get("/tips")
def list_tips(user_id: UserId, topic: Topic = None) -> list[dict[str, object]]:
    """Return the tips, perhaps on one topic."""
    return [tip.as_json() for tip in _about(topic)]


@router.get("/progress")
def read_progress(studio: TheStudio, user_id: UserId) -> Progress:
    """Return which tips are done."""
    query = select(own_coach_progress.c.tip_id, own_coach_progress.c.done_at).order_by(own_coach_progress.c.done_at)
    with studio.database.acting_as(user_id) as connection:
        done = [Done.model_validate(dict(row)) for row in connection.execute(query).mappings()]
    return Progress(done=done, total=len(TIPS))


@router.put("/progress/{tip_id}", status_code=204)
def mark_done(tip_id: int, studio: TheStudio, user_id: UserId) -> None:
    """Tick a tip off; twice is fine."""
    if tip_id not in {tip.id for tip in TIPS}:
        raise not_found("tip")
    row = {"user_id": user_id, "tip_id": tip_id, "done_at": now()}
    with contextlib.suppress(IntegrityError), studio.database.acting_as(user_id) as connection:
        connection.execute(insert(coach_progress).values(row))


@router.get("/stream", response_class=StreamingResponse)
async def stream(
    studio: TheStudio,
    user_id: UserId,
    topic: Topic = None,
    limit: Annotated[int | None, Query(ge=1, le=50)] = None,
    last_event_id: Annotated[int, Header(ge=0)] = 0,
) -> StreamingResponse:
    """Send tips as server-sent events, round and round; `Last-Event-ID` resumes, `limit` ends."""
    events = _events(studio, _about(topic), first=last_event_id + 1, limit=limit)
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(studio: Studio, tips: Sequence[Tip], *, first: int, limit: int | None) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    for event_id in count(first):
        tip = tips[(event_id - 1) % len(tips)]
        yield f"id: {event_id}\nevent: tip\ndata: {json.dumps(tip.as_json())}\n\n"
        if limit is not None and event_id - first + 1 >= limit:
            break
        if await _stopping_within(studio, _SECONDS_BETWEEN_TIPS):
            return
    yield "event: end\ndata: {}\n\n"


async def _stopping_within(studio: Studio, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await studio.stopping.wait()
    return False


def _about(topic: str | None) -> list[Tip]:
    if topic is not None and topic not in TOPICS:
        raise ApiError(422, "unknown_topic", f"Unknown topic {topic!r}.", known=list(TOPICS))
    return about(topic)

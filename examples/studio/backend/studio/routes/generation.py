"""Generation jobs: ask for an image, poll until it is there."""

from __future__ import annotations

import os
import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, StringConstraints
from sqlalchemy import Connection, Select, insert, select

from studio.context import Studio, TheStudio, UserId
from studio.errors import ApiError, not_found
from studio.faults import Fault
from studio.generation import work_off
from studio.routes.brand_kits import find_kit
from studio.schema import jobs, now, own_assets, own_jobs
from studio.twitch import SPECS

router = APIRouter(prefix="/generation/jobs", tags=["generation"])


class JobState(StrEnum):
    """How far a job has come."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class NewJob(BaseModel):
    """What to make."""

    asset_type: str
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    brand_kit_id: str | None = None


class Job(BaseModel):
    """A job as the API shows it; `asset_id` is there once it is done."""

    id: str
    asset_type: str
    title: str
    brand_kit_id: str | None
    state: JobState
    error: str | None
    asset_id: str | None
    created_at: datetime


@router.post("", status_code=202)
def create_job(new: NewJob, background: BackgroundTasks, studio: TheStudio, user_id: UserId) -> Job:
    """Accept a job, and work it off after the answer."""
    _misbehave(studio)
    if new.asset_type not in SPECS:
        message = f"Unknown asset type {new.asset_type!r}."
        raise ApiError(422, "unknown_asset_type", message, known=list(SPECS))
    job_id = uuid.uuid4().hex
    row = new.model_dump() | {"id": job_id, "user_id": user_id, "state": JobState.QUEUED.value, "created_at": now()}
    with studio.database.acting_as(user_id) as connection:
        if new.brand_kit_id is not None:
            find_kit(connection, new.brand_kit_id)
        connection.execute(insert(jobs).values(row))
        job = _find(connection, job_id)
    background.add_task(work_off, studio, user_id=user_id, job_id=job_id)
    return job


@router.get("")
def list_jobs(studio: TheStudio, user_id: UserId) -> list[Job]:
    """Return all jobs of the user, newest first."""
    with studio.database.acting_as(user_id) as connection:
        rows = connection.execute(_query().order_by(own_jobs.c.created_at.desc())).mappings()
        return [Job.model_validate(dict(row)) for row in rows]


@router.get("/{job_id}")
def read_job(job_id: str, studio: TheStudio, user_id: UserId) -> Job:
    """Return one job: this is what to poll."""
    with studio.database.acting_as(user_id) as connection:
        return _find(connection, job_id)


def _query() -> Select[tuple[object, ...]]:
    joined = own_jobs.outerjoin(own_assets, own_assets.c.job_id == own_jobs.c.id)
    return select(own_jobs, own_assets.c.id.label("asset_id")).select_from(joined)


def _find(connection: Connection, job_id: str) -> Job:
    row = connection.execute(_query().where(own_jobs.c.id == job_id)).mappings().one_or_none()
    if row is None:
        raise not_found("job")
    return Job.model_validate(dict(row))


def _misbehave(studio: Studio) -> None:
    if Fault.CRASH in studio.faults:
        os._exit(70)  # no farewell: this is what a crash looks like from outside
    if studio.faults.flakes_now():
        message = "The image workers are warming up. Try again."
        raise ApiError(503, "warming_up", message, headers={"Retry-After": "1"})

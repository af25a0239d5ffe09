"""Working off a generation job: claim, draw, store, record."""

from __future__ import annotations

import logging
import uuid

from sqlalchemy import insert, select, update

from studio import procedures
from studio.artwork import render
from studio.context import Studio
from studio.schema import assets, jobs, now, own_brand_kits, own_jobs
from studio.twitch import SPECS

_DEFAULT_COLOURS = {"primary": "#6d28d9", "accent": "#f59e0b"}
_log = logging.getLogger(__name__)


def work_off(studio: Studio, *, user_id: str, job_id: str) -> None:
    """Take the job from queued to done, or to failed. Runs after the answer, in a thread."""
    with studio.database.acting_as(user_id) as connection:
        if not procedures.claim_job(connection, job_id):
            return
    try:
        _make(studio, user_id=user_id, job_id=job_id)
    except Exception as error:  # whatever went wrong, somebody is polling for the end
        _log.exception("job %s failed", job_id)
        with studio.database.acting_as(user_id) as connection:
            values = {"state": "failed", "error": str(error)[:200]}
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))


def _make(studio: Studio, *, user_id: str, job_id: str) -> None:
    with studio.database.acting_as(user_id) as connection:
        job = connection.execute(select(own_jobs).where(own_jobs.c.id == job_id)).mappings().one()
        kit_query = select(own_brand_kits).where(own_brand_kits.c.id == job["brand_kit_id"])
        kit = connection.execute(kit_query).mappings().one_or_none()
    spec = SPECS[job["asset_type"]]
    colours = {"primary": kit["primary_colour"], "accent": kit["accent_colour"]} if kit else _DEFAULT_COLOURS
    content = render(spec, title=job["title"], **colours)
    asset = {
        "id": uuid.uuid4().hex,
        "user_id": user_id,
        "job_id": job_id,
        "asset_type": spec.asset_type,
        "title": job["title"],
        "width": spec.width,
        "height": spec.height,
        "bytes": len(content),
        "file_key": f"assets/{user_id}/{job_id}.png",
        "created_at": now(),
    }
    studio.storage.write(asset["file_key"], content)
    with studio.database.acting_as(user_id) as connection:
        connection.execute(insert(assets).values(asset))
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(state="done"))

"""Is the studio alive, and is each part of it in order?"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from studio import __version__
from studio.context import TheStudio
from studio.errors import unavailable
from studio.faults import Fault

router = APIRouter(prefix="/health", tags=["health"])


@router.get("")
def alive() -> dict[str, str]:
    """Answer as long as the process serves requests, whatever the parts do."""
    return {"status": "ok", "service": "studio-api", "version": __version__}


@router.get("/redis")
def redis(studio: TheStudio) -> JSONResponse:
    """Ping Redis."""
    if Fault.DOWN in studio.faults:
        return unavailable("redis", "out of order on purpose")
    return _check("redis", studio.redis.ping)


@router.get("/database")
def database(studio: TheStudio) -> JSONResponse:
    """Query the database."""
    return _check("database", studio.database.ping, backend=studio.database.backend)


@router.get("/storage")
def storage(studio: TheStudio) -> JSONResponse:
    """Write and read a file."""
    return _check("storage", studio.storage.probe)


def _check(component: str, probe: Callable[[], object], **details: str) -> JSONResponse:
    started = perf_counter()
    try:
        probe()
    except (RedisError, SQLAlchemyError, OSError) as error:
        return unavailable(component, error)
    milliseconds = round((perf_counter() - started) * 1000, 2)
    return JSONResponse({"status": "ok", "component": component, "milliseconds": milliseconds, **details})

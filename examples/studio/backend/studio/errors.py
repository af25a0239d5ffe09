"""The one shape of every error answer: `{"code": …, "message": …}` and whatever else helps the caller."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError


class ApiError(Exception):
    """An answer that is not a success, raised anywhere below a route."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None, **details: object
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.body = {"code": code, "message": message, **details}


def not_found(what: str) -> ApiError:
    """Answer the same for what does not exist and for what belongs to someone else."""
    return ApiError(404, "not_found", f"There is no such {what}.")


def install(app: FastAPI) -> None:
    """Turn exceptions into answers."""

    @app.exception_handler(ApiError)
    async def known(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body, error.status, headers=error.headers)

    @app.exception_handler(RedisError)
    async def redis_gone(_: Request, error: RedisError) -> JSONResponse:
        return unavailable("redis", error)

    @app.exception_handler(OperationalError)
    async def database_gone(_: Request, error: OperationalError) -> JSONResponse:
        return unavailable("database", error)


def unavailable(component: str, error: Exception | str) -> JSONResponse:
    """Say which component is out of order, in one line."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    body = {"code": "unavailable", "status": "unavailable", "component": component, "message": f"{component}: {reason}"}
    return JSONResponse(body, 503)

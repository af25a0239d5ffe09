"""The API: `python -m studio.api` serves it at API_URL."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.cors import CORSMiddleware

from studio import __version__, errors, faults, server
from studio.context import Studio
from studio.database import SchemaVersionError
from studio.faults import Fault, UnknownFaultError
from studio.routes import assets, auth, brand_kits, coach, generation, health, logos, twitch
from studio.settings import Settings, address

_ROUTERS = (health, auth, brand_kits, logos, generation, assets, twitch, coach)


def create_app(studio: Studio) -> FastAPI:
    """Put the parts behind routes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        studio.close()

    app = FastAPI(title="Streamer studio", version=__version__, lifespan=lifespan)
    app.state.studio = studio
    errors.install(app)
    for module in _ROUTERS:
        app.include_router(module.router)
    if Fault.SLOW in studio.faults:
        app.add_middleware(faults.SlowDown)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=studio.settings.web_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        max_age=600,
    )
    return app


def main() -> None:
    """Prepare the database, then serve."""
    settings = Settings.from_environment()
    try:
        studio = Studio.assemble(settings)
        studio.database.prepare()
    except (UnknownFaultError, SchemaVersionError) as error:
        sys.exit(f"studio api: {error}")
    except SQLAlchemyError as error:
        sys.exit(f"studio api: the database does not answer: {str(error).splitlines()[0]}")
    if Fault.LEAKY in studio.faults:
        faults.leak_a_process()
    host, port = address(settings.api_url, default_port=80)
    app = create_app(studio)
    server.serve(app, name="studio api", host=settings.bind or host, port=port, before_shutdown=studio.stopping.set)


if __name__ == "__main__":
    main()

"""The web front end: `python -m studio.web` serves plain pages at WEB_URL."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from studio import __version__, server
from studio.settings import Settings, address


class _Pages(StaticFiles):
    """Serves `/login` from `login.html`, and says so politely when there is no such page."""

    def __init__(self, directory: Path, headers: dict[str, str]) -> None:
        super().__init__(directory=directory, html=True)
        self._folder, self._headers = directory, headers

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path != "." and "." not in Path(path).name:
            path = f"{path}.html"
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            response = FileResponse(self._folder / "404.html", status_code=404)
        response.headers.update(self._headers)
        return response


def create_app(settings: Settings) -> Starlette:
    """Serve the public folder, and tell its pages where the API is."""

    def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "service": "studio-web", "version": __version__})

    def config(_: Request) -> Response:
        script = f"export const apiUrl = {json.dumps(settings.api_url)};\n"
        return Response(script, media_type="text/javascript", headers=headers)

    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": f"default-src 'self'; img-src 'self' blob: data:; connect-src {settings.api_url}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    pages = _Pages(settings.public, headers)
    return Starlette(routes=[Route("/health", health), Route("/config.js", config), Mount("/", pages)])


def main() -> None:
    """Serve until told to stop."""
    settings = Settings.from_environment()
    host, port = address(settings.web_url, default_port=80)
    server.serve(create_app(settings), name="studio web", host=settings.bind or host, port=port)


if __name__ == "__main__":
    main()

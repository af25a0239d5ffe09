"""Every setting of the studio, read from the environment in one place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_EXAMPLE = Path(__file__).resolve().parents[2]
_POSTGRES_SCHEMES = ("postgres://", "postgresql://")


@dataclass(frozen=True)
class Settings:
    """Where the services listen, and where they keep things."""

    api_url: str
    web_url: str
    redis_url: str
    database_url: str
    storage: Path
    public: Path
    bind: str | None
    faults: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment; an empty variable counts as unset."""

        def read(name: str, default: str) -> str:
            return environ.get(name) or default

        data = Path(read("STUDIO_DATA", ".studio")).resolve()
        return cls(
            api_url=read("API_URL", "http://127.0.0.1:8710").rstrip("/"),
            web_url=read("WEB_URL", "http://127.0.0.1:3710").rstrip("/"),
            redis_url=read("REDIS_URL", "redis://127.0.0.1:6389/0"),
            database_url=with_driver(read("DATABASE_URL", f"sqlite:///{data / 'studio.sqlite3'}")),
            storage=Path(read("STUDIO_STORAGE", str(data / "storage"))).resolve(),
            public=Path(read("STUDIO_PUBLIC", str(_EXAMPLE / "tsx" / "public"))).resolve(),
            bind=environ.get("STUDIO_BIND") or None,
            faults=environ.get("STUDIO_FAULT", ""),
        )

    @property
    def web_origins(self) -> list[str]:
        """The origins a browser may send for WEB_URL: loopback has two names."""
        parts = urlsplit(self.web_url)
        hosts = {parts.hostname or ""}
        if hosts & {"127.0.0.1", "localhost"}:
            hosts |= {"127.0.0.1", "localhost"}
        port = f":{parts.port}" if parts.port else ""
        return sorted(f"{parts.scheme}://{host}{port}" for host in hosts)


def with_driver(database_url: str) -> str:
    """Name psycopg 3 in a PostgreSQL URL that names no driver.

    >>> with_driver("postgres://localhost/studio")
    'postgresql+psycopg://localhost/studio'
    """
    for scheme in _POSTGRES_SCHEMES:
        if database_url.startswith(scheme):
            return "postgresql+psycopg://" + database_url.removeprefix(scheme)
    return database_url


def address(url: str, *, default_port: int) -> tuple[str, int]:
    """Return the host and port that `url` points at."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or default_port

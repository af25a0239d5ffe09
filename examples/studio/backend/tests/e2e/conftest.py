"""What every suite needs: the addresses of the services, and somebody to use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from actors import Streamer
from studio.settings import Settings

_HERE = Path(__file__).parent
_MARKS = {"health": "health", "smoke": "smoke", "flows": "flow", "database": "database"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the folder it lives in."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(_MARKS[item.path.relative_to(_HERE).parts[0]])


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Read the same environment as the services do."""
    return Settings.from_environment()


@pytest.fixture(scope="session")
def http(settings: Settings) -> Iterator[httpx.Client]:
    """Talk to the API as nobody in particular."""
    with httpx.Client(base_url=settings.api_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def new_streamer(http: httpx.Client) -> Callable[[], Streamer]:
    """Invent as many users as a test asks for."""
    return lambda: Streamer.logged_in(http)


@pytest.fixture
def streamer(new_streamer: Callable[[], Streamer]) -> Streamer:
    """Somebody who is logged in."""
    return new_streamer()

"""What the flows share: one channel that visitors are shown."""

from __future__ import annotations

import httpx
import pytest

from actors import Streamer


@pytest.fixture(scope="module")
def demo(http: httpx.Client) -> Streamer:
    """The demo channel, empty when a flow begins and the flow's own until it ends: there is only one."""
    return Streamer.on_the_demo_channel(http)

"""From what ``ready`` says to the questions that are asked, the cheap ones first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from e2e_orchestrator.config.services import Ready
from e2e_orchestrator.model.service import (
    CommandProbe,
    HttpProbe,
    LogProbe,
    PageProbe,
    Probe,
    RedisProbe,
    SqlProbe,
    TcpProbe,
)

_INTERVAL = 0.1
# These start a program each time.
_COSTLY_INTERVAL = 0.5
_SQLITE = "sqlite:///"


def probes_of(ready: Ready, *, root: Path) -> Iterator[Probe]:
    """Every question of one entry; the file of a SQLite database starts at the ``root``."""

    def patience(default: float = _INTERVAL) -> dict[str, Any]:
        return {"timeout": ready.timeout, "interval": ready.interval or default}

    if ready.tcp:
        yield TcpProbe(tcp=ready.tcp, **patience())
    if ready.log:
        yield LogProbe(log=ready.log, **patience())
    if ready.http:
        yield HttpProbe(
            http=ready.http,
            status=ready.status or (),
            body=ready.body,
            json=ready.json_ or {},
            **patience(),
        )
    if ready.redis:
        yield RedisProbe(redis=ready.redis, **patience())
    if ready.sql:
        yield SqlProbe(sql=_absolute(ready.sql, root), query=ready.query or "select 1", **patience())
    if ready.command:
        yield CommandProbe(command=ready.command, **patience(_COSTLY_INTERVAL))
    if ready.page:
        yield PageProbe(
            page=ready.page, text=ready.text, selector=ready.selector, **patience(_COSTLY_INTERVAL)
        )


def _absolute(address: str, root: Path) -> str:
    if not address.startswith(_SQLITE):
        return address
    return f"{_SQLITE}{root / address.removeprefix(_SQLITE)}"

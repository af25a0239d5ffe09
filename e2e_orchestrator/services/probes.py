"""Asks a service whether it is ready: one attempt of one probe, with a reason when it is not.

Written on streams, because a blocking HTTP client limits each read and never the whole: a service that
drips its answer byte by byte would hold a thread beyond every limit.
"""

import asyncio
import ssl
from urllib.parse import SplitResult, urlsplit

from e2e_orchestrator.model.plan import Probe

_ONE_TRY_SECONDS = 2.0
_READY_BELOW = 400


async def ask(probe: Probe) -> str | None:
    """None if the service is ready, else what it answered instead.

    Ready over HTTP is any status below 400. Redirects are an answer, they are not followed; proxies are
    not used: what is waited for is the service itself.
    """
    try:
        async with asyncio.timeout(_ONE_TRY_SECONDS):
            if probe.http:
                return await _get(urlsplit(probe.http))
            if probe.tcp:
                await _connect(*_host_and_port(urlsplit(f"//{probe.tcp}")))
    except TimeoutError:
        return f"no answer within {_ONE_TRY_SECONDS:g} s"
    except OSError as error:
        return f"{type(error).__name__}: {error}"
    return None


def endpoint(probe: Probe) -> tuple[str, int] | None:
    """Host and port that the probe talks to."""
    if probe.http:
        return _host_and_port(urlsplit(probe.http))
    return _host_and_port(urlsplit(f"//{probe.tcp}")) if probe.tcp else None


async def taken(probe: Probe) -> bool:
    """True if somebody listens there already: whoever it is, it is not the service about to start."""
    place = endpoint(probe)
    if place is None:
        return False
    try:
        async with asyncio.timeout(_ONE_TRY_SECONDS):
            await _connect(*place)
    except OSError:
        return False
    return True


def _host_and_port(url: SplitResult) -> tuple[str, int]:
    return url.hostname or "localhost", url.port or (443 if url.scheme == "https" else 80)


async def _connect(host: str, port: int) -> None:
    _, writer = await asyncio.open_connection(host, port)
    writer.transport.abort()  # Nothing is said, so nothing has to be said goodbye to.


async def _get(url: SplitResult) -> str | None:
    """Reads no more than the line with the status."""
    host, port = _host_and_port(url)
    secure = ssl.create_default_context() if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(host, port, ssl=secure)
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        lines = (
            f"GET {path} HTTP/1.1",
            f"Host: {url.netloc.rpartition('@')[2]}",
            "Accept: */*",
            "Connection: close",
        )
        writer.write("\r\n".join((*lines, "", "")).encode("utf-8"))
        answer = (await reader.readline()).decode("latin-1").split(maxsplit=2)
    except ValueError:
        return "no HTTP answer: its first line has no end"
    finally:
        writer.transport.abort()
    if len(answer) < 2 or not answer[0].startswith("HTTP/") or not answer[1].isdigit():  # noqa: PLR2004
        return f"no HTTP answer, but {' '.join(answer)[:80]!r}"
    return None if int(answer[1]) < _READY_BELOW else f"HTTP {answer[1]}"

"""Connections to services: both families of localhost, and what an address says about host and port."""

import asyncio
import ssl
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {
    "https": 443,
    "redis": 6379,
    "rediss": 6379,
    "postgresql": 5432,
    "postgres": 5432,
    "mysql": 3306,
    "mariadb": 3306,
}
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def host_and_port(url: SplitResult) -> tuple[str, int]:
    """Raises ValueError for a port that is none."""
    return url.hostname or "localhost", url.port or DEFAULT_PORTS.get(url.scheme.partition("+")[0], 80)


def tcp_address(text: str) -> tuple[str, int]:
    """Of ``host:port``."""
    return host_and_port(urlsplit(f"//{text}"))


async def connect(host: str, port: int, *, secure: bool = False) -> Streams:
    """The first family that answers. Raises OSError, of the last try, if none does.

    ``localhost`` may be known as one address only while the service listens on the other.
    """
    hosts = ("127.0.0.1", "::1") if host == "localhost" else (host,)
    context = ssl.create_default_context() if secure else None
    name = host if secure else None
    for one in hosts[:-1]:
        try:
            return await asyncio.open_connection(one, port, ssl=context, server_hostname=name)
        except OSError:
            continue
    return await asyncio.open_connection(hosts[-1], port, ssl=context, server_hostname=name)


async def listens(host: str, port: int) -> None:
    """Raises OSError if nobody does."""
    _, writer = await connect(host, port)
    writer.transport.abort()  # Nothing is said, so nothing has to be said goodbye to.

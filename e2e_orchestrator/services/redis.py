"""Asks a Redis for its PONG, in the few lines of its protocol that this takes."""

import asyncio
from urllib.parse import unquote, urlsplit

from e2e_orchestrator.services.connections import connect, host_and_port


async def ask_redis(address: str) -> str | None:
    """None if it answers PING, after the password of the address if there is one."""
    url = urlsplit(address)
    reader, writer = await connect(*host_and_port(url), secure=url.scheme == "rediss")
    try:
        if url.password:
            words = ["AUTH", *([unquote(url.username)] if url.username else []), unquote(url.password)]
            if (answer := await _said(reader, writer, *words)) != "+OK":
                return f"the password was answered with {answer!r}"
        answer = await _said(reader, writer, "PING")
    finally:
        writer.transport.abort()
    return None if answer == "+PONG" else f"PING was answered with {answer!r}"


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> str:
    """An array of strings goes out, one line comes back: a simple string or an error."""
    encoded = [word.encode() for word in words]
    parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
    writer.write(b"*%d\r\n" % len(parts) + b"".join(parts))
    return (await reader.readline()).decode("utf-8", "replace").strip()[:200]

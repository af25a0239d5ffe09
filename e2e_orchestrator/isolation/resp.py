"""As much of Redis's protocol as leases need: one connection, one command after the other."""

import asyncio
import ssl
from contextlib import suppress
from typing import Self

from e2e_orchestrator.errors import InfrastructureError
from e2e_orchestrator.isolation.address import Address

_SECONDS = 10.0
_SECURE = "rediss"
_PORT = 6379

Reply = int | str | bytes | None | list["Reply"]


class RespError(InfrastructureError):
    """What the server answered instead of doing it; its first word is the kind of error."""


class Resp:
    """A connection; raises InfrastructureError when nobody answers in time."""

    def __init__(self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._address, self._reader, self._writer = address, reader, writer

    @classmethod
    async def connect(cls, address: Address) -> Self:
        host = address.hosts[0] if address.hosts else "localhost"
        secure = ssl.create_default_context() if address.scheme == _SECURE else None
        try:
            async with asyncio.timeout(_SECONDS):
                streams = await asyncio.open_connection(host, address.port or _PORT, ssl=secure)
        except (OSError, TimeoutError) as error:
            raise InfrastructureError(
                f"{address.server} does not answer: {error or type(error).__name__}",
                hint="start it before the tests, as a service with a probe that waits for it",
            ) from None
        made = cls(address, *streams)
        try:
            if address.password is not None:
                user = [address.user] if address.user else []
                await made.call("AUTH", *user, address.password)
        except BaseException:
            await made.close()
            raise
        return made

    async def call(self, *words: str | bytes | int) -> Reply:
        """Raises RespError for an error of the server."""
        try:
            async with asyncio.timeout(_SECONDS):
                self._writer.write(_encoded(words))
                await self._writer.drain()
                return await self._reply()
        except (OSError, EOFError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise InfrastructureError(f"{self._address.server} does not answer any more: {why}") from None

    async def _reply(self) -> Reply:
        line = await self._reader.readuntil(b"\r\n")
        kind, rest = line[:1], line[1:-2]
        match kind:
            case b"+":
                return rest.decode()
            case b"-":
                raise RespError(rest.decode("utf-8", "replace"))
            case b":":
                return int(rest)
            case b"$":
                return None if rest == b"-1" else (await self._reader.readexactly(int(rest) + 2))[:-2]
            case b"*":
                return None if rest == b"-1" else [await self._element() for _ in range(int(rest))]
            case _:
                raise InfrastructureError(f"{self._address.server} does not speak Redis's protocol")

    async def _element(self) -> Reply:
        """An error inside a list is an answer like any other."""
        try:
            return await self._reply()
        except RespError as error:
            return str(error)

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()


def _encoded(words: tuple[str | bytes | int, ...]) -> bytes:
    """Every word with its length: there is nothing to quote, and nothing to inject."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

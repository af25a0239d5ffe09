"""A numbered database of a Redis, or a prefix of keys, for each slot.

Numbers are claimed in database 0, where all runs look: ``SET … NX`` lets one win. A number that holds
keys nobody claimed is somebody's, and passed by. Nothing is flushed but under a claim of our own.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.driver import Base, CannotIsolate, Dead, Orphan, World
from e2e_orchestrator.isolation.names import Marker, read_marker
from e2e_orchestrator.isolation.resp import Resp, RespError
from e2e_orchestrator.model.isolation import RedisIsolation
from e2e_orchestrator.safety.guards import require_test_database

_CLAIM = "e2e-orchestrator:lease:"
_USUAL_NUMBER = 16
_TRIES = 5
_BATCH = 500


class RedisDriver:
    """See :class:`Driver`. One connection, one change at a time: these take less than a millisecond."""

    def __init__(self, base: Base, *, mode: RedisIsolation) -> None:
        self._base, self._mode = base, mode
        self._own = int(base.address.database or 0) if (base.address.database or "0").isdigit() else 0
        self._connection: Resp | None = None
        self._lock = asyncio.Lock()
        self._numbers: dict[int, int] = {}

    async def examine(self) -> None:
        for target in self._base.address.targets:
            require_test_database(target, what=self._base.variable, rules=self._base.rules, marked=True)
        async with self._connected() as redis:
            try:
                await redis.call("SELECT", 0)
                if self._mode is RedisIsolation.INDEX and await _count(redis) < len((0, 1)):
                    raise CannotIsolate(
                        f"{self._base.address.server} has only one database", hint="write `redis: prefix`"
                    )
            except RespError as error:
                raise CannotIsolate(
                    f"{self._base.address.server} refuses: {error}",
                    hint="ACL SETUSER … +select +@keyspace ~*",
                ) from None

    async def make(self, slot: int) -> World:
        async with self._connected() as redis:
            if self._mode is RedisIsolation.PREFIX:
                await _unlink(redis, database=self._own, prefix=self._prefix(slot))
                return self._prefixed(slot)
            self._numbers[slot] = await self._claim(redis, slot)
            return self._numbered(slot)

    async def reset(self, slot: int) -> World:
        async with self._connected() as redis:
            if self._mode is RedisIsolation.PREFIX:
                await _unlink(redis, database=self._own, prefix=self._prefix(slot))
                return self._prefixed(slot)
            await _flush(redis, self._numbers[slot], marker=self._marker(slot), release=False)
            return self._numbered(slot)

    async def release(self, slot: int) -> None:
        async with self._connected() as redis:
            if self._mode is RedisIsolation.PREFIX:
                await _unlink(redis, database=self._own, prefix=self._prefix(slot))
            elif (number := self._numbers.pop(slot, None)) is not None:
                await _flush(redis, number, marker=self._marker(slot), release=True)

    async def close(self) -> None:
        for slot in list(self._numbers):
            await self.release(slot)
        async with self._lock:
            if self._connection:
                await self._connection.close()
                self._connection = None

    def _marker(self, slot: int) -> Marker:
        return self._base.owner.marker(f"slot {slot}")

    def _prefix(self, slot: int) -> str:
        return f"{self._base.name(slot)}:"

    def _prefixed(self, slot: int) -> World:
        variable = f"{self._base.variable.removesuffix('_URL')}_PREFIX"
        return World(name=f"keys {self._prefix(slot)}*", environment={variable: self._prefix(slot)})

    def _numbered(self, slot: int) -> World:
        number = str(self._numbers[slot])
        address = self._base.address.with_database(number)
        return World(name=f"database {number}", environment={self._base.variable: address})

    async def _claim(self, redis: Resp, slot: int) -> int:
        await redis.call("SELECT", 0)
        for number in range(await _count(redis) - 1, 0, -1):
            if number == self._own or number in self._numbers.values():
                continue
            marker = str(self._marker(slot))
            if await redis.call("SET", f"{_CLAIM}{number}", marker, "NX") is None:
                continue
            await redis.call("SELECT", number)
            used = await redis.call("DBSIZE")
            await redis.call("SELECT", 0)
            if not used:
                return number
            await redis.call("DEL", f"{_CLAIM}{number}")
        raise CannotIsolate(
            f"every numbered database of {self._base.address.server} is taken or holds keys",
            hint="`e2e-orchestrate clean` frees those of dead runs; or write `redis: prefix`, or raise "
            "`databases` in redis.conf",
        )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Resp]:
        async with self._lock:
            redis = self._connection or await Resp.connect(self._base.address)
            self._connection = None
            try:
                yield redis
            except RespError:
                self._connection = redis
                raise
            except BaseException:  # Whoever comes next must not read the answer to this one.
                await redis.close()
                raise
            self._connection = redis


async def _count(redis: Resp) -> int:
    """How many numbered databases there are; hosted servers do not say."""
    try:
        found = await redis.call("CONFIG", "GET", "databases")
    except RespError:
        return _USUAL_NUMBER
    match found:
        case [_, bytes() as number]:
            return int(number)
        case _:
            return _USUAL_NUMBER


async def _flush(redis: Resp, number: int, *, marker: Marker, release: bool) -> None:
    """Nothing happens unless the claim is still ours at that very moment: WATCH sees to it."""
    key = f"{_CLAIM}{number}"
    for _ in range(_TRIES):
        await redis.call("SELECT", 0)
        await redis.call("WATCH", key)
        found = await redis.call("GET", key)
        if found != str(marker).encode():
            await redis.call("UNWATCH")
            raise SafeguardRefused(
                f"database {number} is not claimed by run {marker.run_id} any more: it stays as it is",
                hint="a test has called FLUSHALL, or emptied database 0, where the claims are: give tests that own no "
                f"database another number, as in redis://…/1, and empty {number} by hand if nobody needs it",
            )
        await redis.call("MULTI")
        if release:
            await redis.call("DEL", key)
        await redis.call("SELECT", number)
        await redis.call("FLUSHDB")
        await redis.call("SELECT", 0)
        if await redis.call("EXEC") is not None:
            return
    raise InfrastructureError(f"the claim on database {number} changes all the time")


async def _unlink(redis: Resp, *, database: int, prefix: str) -> None:
    """Removes the keys with exactly this prefix; letters that stand for others in a pattern are none in it."""
    await redis.call("SELECT", database)
    cursor = b"0"
    while True:
        found = cast(
            "list[list[bytes]]",
            await redis.call("SCAN", cursor, "MATCH", f"{_literal(prefix)}*", "COUNT", _BATCH),
        )
        keys = [key for key in found[1] if key.startswith(prefix.encode())]
        if keys:
            await redis.call("UNLINK", *keys)
        cursor = cast("bytes", found[0])
        if cursor == b"0":
            return


def _literal(text: str) -> str:
    return "".join(f"\\{one}" if one in "*?[]^\\" else one for one in text)


async def orphans(base: Base, *, dead: Dead, kept: bool = False) -> list[Orphan]:  # noqa: ARG001 - keeps none.
    """Claims of dead runs of this machine, with what is in their databases. Of others nobody can tell."""
    redis = await Resp.connect(base.address)
    try:
        await redis.call("SELECT", 0)
        claims = {
            number: await redis.call("GET", f"{_CLAIM}{number}") for number in range(1, await _count(redis))
        }
    finally:
        await redis.close()
    marked = [
        (number, marker)
        for number, claim in claims.items()
        if isinstance(claim, bytes)
        and (marker := read_marker(claim.decode("utf-8", "replace")))
        and marker.host == base.owner.host
        and dead(marker)
    ]
    return [
        Orphan(
            name=f"database {number}",
            where=base.address.server,
            run_id=marker.run_id,
            remove=partial(_remove, base, number, marker),
        )
        for number, marker in marked
    ]


async def _remove(base: Base, number: int, marker: Marker) -> None:
    redis = await Resp.connect(base.address)
    try:
        await _flush(redis, number, marker=marker, release=True)
    finally:
        await redis.close()

"""Numbered databases and prefixes of a real Redis: claimed by one run only, flushed only under the claim."""

import asyncio
from pathlib import Path

import pytest
from servers import Redis, a_run_id, base_of

from e2e_orchestrator.errors import SafeguardRefused
from e2e_orchestrator.isolation.driver import Base
from e2e_orchestrator.isolation.redis import RedisDriver, orphans
from e2e_orchestrator.model.isolation import RedisIsolation

INDEX, PREFIX = RedisIsolation.INDEX, RedisIsolation.PREFIX


def based(redis: Redis, folder: Path, **fields: str) -> Base:
    return base_of(redis.url, folder, variable="REDIS_URL", **fields)


def number_of(environment: dict[str, str]) -> int:
    return int(environment["REDIS_URL"].rpartition("/")[2])


def test_two_runs_at_once_never_have_the_same_number(redis: Redis, run_folder: Path) -> None:
    async def both() -> list[int]:
        drivers = [RedisDriver(based(redis, run_folder, run_id=a_run_id()), mode=INDEX) for _ in range(2)]
        await asyncio.gather(*(driver.examine() for driver in drivers))
        worlds = await asyncio.gather(*(driver.make(slot) for driver in drivers for slot in range(3)))
        await asyncio.gather(*(driver.close() for driver in drivers))
        return [number_of(dict(world.environment)) for world in worlds]

    numbers = asyncio.run(both())
    assert len(set(numbers)) == 6
    assert 0 not in numbers


def test_a_number_that_holds_keys_is_somebodys(redis: Redis, run_folder: Path) -> None:
    async def claimed() -> int:
        driver = RedisDriver(based(redis, run_folder), mode=INDEX)
        number = number_of(dict((await driver.make(0)).environment))
        await driver.close()
        return number

    first = asyncio.run(claimed())
    redis.ask("SET", "precious", "1", database=first)
    try:
        assert asyncio.run(claimed()) != first
        assert redis.ask("GET", "precious", database=first) == b"1"
    finally:
        redis.ask("DEL", "precious", database=first)


def test_two_slots_never_have_the_same_number_though_a_test_emptied_database_0(
    redis: Redis, run_folder: Path
) -> None:
    async def claimed() -> list[int]:
        driver = RedisDriver(based(redis, run_folder), mode=INDEX)
        first = number_of(dict((await driver.make(0)).environment))
        await asyncio.to_thread(redis.ask, "DEL", f"e2e-orchestrator:lease:{first}")
        second = number_of(dict((await driver.make(1)).environment))
        with pytest.raises(
            SafeguardRefused,
            match=r"is not claimed by run .*\n.*give tests that own no database another number",
        ):
            await driver.reset(0)
        driver._numbers.pop(0)
        await driver.close()
        return [first, second]

    assert len(set(asyncio.run(claimed()))) == 2


def test_a_reset_empties_it_and_the_release_too(redis: Redis, run_folder: Path) -> None:
    driver = RedisDriver(based(redis, run_folder), mode=INDEX)

    async def act() -> int:
        number = number_of(dict((await driver.make(0)).environment))
        await asyncio.to_thread(redis.ask, "SET", "a", "1", database=number)
        await driver.reset(0)
        assert await asyncio.to_thread(redis.ask, "DBSIZE", database=number) == 0
        await asyncio.to_thread(redis.ask, "SET", "a", "1", database=number)
        await driver.release(0)
        await driver.close()
        return number

    assert redis.ask("DBSIZE", database=asyncio.run(act())) == 0


def test_nothing_is_flushed_once_the_claim_is_somebody_elses(redis: Redis, run_folder: Path) -> None:
    driver = RedisDriver(based(redis, run_folder), mode=INDEX)

    async def act() -> int:
        number = number_of(dict((await driver.make(0)).environment))
        await asyncio.to_thread(redis.ask, "SET", f"e2e-orchestrator:lease:{number}", "another run")
        await asyncio.to_thread(redis.ask, "SET", "precious", "1", database=number)
        with pytest.raises(SafeguardRefused, match="is not claimed by run"):
            await driver.reset(0)
        with pytest.raises(SafeguardRefused, match="is not claimed by run"):
            await driver.release(0)
        await driver.close()
        return number

    number = asyncio.run(act())
    try:
        assert redis.ask("GET", "precious", database=number) == b"1"
    finally:
        redis.ask("DEL", "precious", database=number)
        redis.ask("DEL", f"e2e-orchestrator:lease:{number}")


def test_a_prefix_removes_its_own_keys_only(redis: Redis, run_folder: Path) -> None:
    driver = RedisDriver(based(redis, run_folder), mode=PREFIX)

    async def act() -> str:
        prefix = (await driver.make(1)).environment["REDIS_PREFIX"]
        for key in (f"{prefix}a", f"{prefix}b", f"x{prefix}a", prefix[:-1]):
            await asyncio.to_thread(redis.ask, "SET", key, "1")
        await driver.release(1)
        await driver.close()
        return prefix

    prefix = asyncio.run(act())
    assert sorted(redis.ask("KEYS", f"*{prefix[:-1]}*")) == sorted(
        [f"x{prefix}a".encode(), prefix[:-1].encode()]
    )
    redis.ask("DEL", f"x{prefix}a", prefix[:-1])


def test_what_a_dead_run_claimed_is_found_and_freed(redis: Redis, run_folder: Path) -> None:
    base = based(redis, run_folder, run_id=a_run_id())

    async def act() -> list[str]:
        driver = RedisDriver(base, mode=INDEX)
        await driver.make(0)
        found = list(await orphans(base, dead=lambda marker: marker.run_id == base.owner.run_id))
        assert await orphans(base, dead=lambda _: False) == []
        for one in found:
            await one.remove()
        driver._numbers.clear()
        await driver.close()
        return [one.run_id for one in found]

    assert asyncio.run(act()) == [base.owner.run_id]

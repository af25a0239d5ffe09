"""Asks a service whether it is ready: one attempt of one probe, with a reason when it is not."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from e2e_orchestrator.errors import InfrastructureError
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
from e2e_orchestrator.process.output import tail_of
from e2e_orchestrator.process.supervisor import Supervisor
from e2e_orchestrator.safety.regular import open_regular
from e2e_orchestrator.services import page
from e2e_orchestrator.services.connections import host_and_port, listens, tcp_address
from e2e_orchestrator.services.http import ask_http
from e2e_orchestrator.services.redis import ask_redis
from e2e_orchestrator.services.sql import ask_sql

_ONE_TRY_SECONDS = 2.0
_PROGRAM_SECONDS = 60.0
_PAGE_SECONDS = 10.0
_MOST_SEARCHED = 4 << 20
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """What questions need to know of the service: where it runs, and where its output lies.

    ``since`` is where the output of this start begins, in bytes.
    """

    supervisor: Supervisor
    cwd: Path
    env: Mapping[str, str]
    log: Path
    since: int = 0

    async def ask(self, probe: Probe) -> str | None:
        """None if the service is ready, else what it answered instead.

        Raises InfrastructureError if a tool that the question needs is not installed.
        """
        programs = isinstance(probe, CommandProbe | PageProbe)
        seconds = _PROGRAM_SECONDS if programs else _ONE_TRY_SECONDS
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(probe)
        except TimeoutError:
            return f"no answer within {seconds:g} s"
        except OSError as error:
            return f"{type(error).__name__}: {error}"

    async def _answer(self, probe: Probe) -> str | None:  # noqa: PLR0911 - one for each kind of question.
        match probe:
            case HttpProbe():
                return await ask_http(probe)
            case TcpProbe(tcp=address):
                await listens(*tcp_address(address))
                return None
            case RedisProbe(redis=address):
                return await ask_redis(address)
            case SqlProbe(sql=address, query=query):
                return await ask_sql(address, query)
            case LogProbe(log=pattern):
                return await asyncio.to_thread(_search, self.log, self.since, pattern)
            case CommandProbe(command=argv):
                return await self._run(argv)
            case PageProbe():
                return await self._look(probe)
            case unknown:
                assert_never(unknown)

    async def _run(self, argv: tuple[str, ...], *, missing: int | None = None) -> str | None:
        """Ends with 0, or what it said last; nothing of the program is left."""
        output = _fresh(self.log)
        child = await self.supervisor.start(argv, cwd=self.cwd, env=self.env, output=output)
        try:
            ended = await child.ended()
        finally:
            child.kill()
        said = tail_of(output, size=_SHOWN * 4).strip().rpartition("\n")[2][:_SHOWN]
        output.unlink(missing_ok=True)
        if ended.start_error:
            return f"{argv[0]} could not be started: {ended.start_error}"
        if missing is not None and ended.exit_status == missing:
            raise InfrastructureError(said)
        if ended.exit_status == 0:
            return None
        return f"exit status {ended.exit_status}{f': {said}' if said else ''}"

    async def _look(self, probe: PageProbe) -> str | None:
        asked = {
            "page": probe.page,
            "text": probe.text,
            "selector": probe.selector,
            "seconds": _PAGE_SECONDS,
        }
        # Its folder must not come first: modules there are named like some of the standard library.
        argv = (sys.executable, "-P", page.__file__, json.dumps(asked))
        answer = await self._run(argv, missing=page.NO_BROWSER)
        return answer.removeprefix("exit status 1: ") if answer else None


def endpoint(probe: Probe) -> tuple[str, int] | None:
    """Host and port of whom the question is asked; None where it is nobody who listens."""
    match probe:
        case HttpProbe(http=address) | RedisProbe(redis=address) | PageProbe(page=address):
            return host_and_port(urlsplit(address))
        case SqlProbe(sql=address):
            url = urlsplit(address)
            return host_and_port(url) if url.hostname else None
        case TcpProbe(tcp=address):
            return tcp_address(address)
        case LogProbe() | CommandProbe():
            return None
        case unknown:
            assert_never(unknown)


async def taken(place: tuple[str, int]) -> bool:
    """True if somebody listens there already: whoever it is, it is not the service about to start."""
    try:
        async with asyncio.timeout(_ONE_TRY_SECONDS):
            await listens(*place)
    except OSError:
        return False
    return True


def own_endpoints(probes: Iterable[Probe]) -> list[tuple[str, int]]:
    """Where the service itself is to listen: beside other questions, one to a database is about what they leave there."""
    places = [(probe, place) for probe in probes if (place := endpoint(probe))]
    own = [place for probe, place in places if not isinstance(probe, SqlProbe)]
    return own or [place for _, place in places]


def _search(log: Path, since: int, pattern: str) -> str | None:
    """In the first and in the last few megabytes: it is asked often enough to hear what is said between them."""
    try:
        with open_regular(log) as file:
            end = file.seek(0, os.SEEK_END)
            for start in sorted({since, max(since, end - _MOST_SEARCHED)}):
                file.seek(start)
                if re.search(pattern, file.read(_MOST_SEARCHED).decode("utf-8", "replace"), re.MULTILINE):
                    return None
    except OSError:
        pass  # It has said nothing yet.
    return f"its output has no {pattern!r} yet"


_numbers = count(1)


def _fresh(log: Path) -> Path:
    """Where a program that asks may write; two services may ask at once."""
    return log.with_suffix(f".probe-{next(_numbers)}.log")

"""Waits until a service is ready, and not one moment longer than there is hope."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from e2e_orchestrator.model.service import Probe
from e2e_orchestrator.process.supervisor import Child
from e2e_orchestrator.protocols import Cancellation
from e2e_orchestrator.services.probes import Asker


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Every question was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The process itself came to its end first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The run is to end, so nobody needs the service any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """One question had no good answer in time; ``answer`` is the last there was."""

    seconds: float
    answer: str


Outcome = Ready | Ended | Cancelled | Silent


async def wait_until_ready(
    probes: Sequence[Probe], asker: Asker, *, child: Child | None, cancellation: Cancellation
) -> Outcome:
    """Readiness races the process' own end, the time limit and the end of the run.

    Raises InfrastructureError if a tool that a question needs is not installed.
    """
    asking: asyncio.Future[Any] = asyncio.ensure_future(_ask_all(probes, asker))
    cancelled: asyncio.Future[Any] = asyncio.ensure_future(cancellation.wait())
    races = {asking, cancelled}
    exited: asyncio.Future[Any] | None = None
    if child:
        exited = asyncio.ensure_future(child.exited())
        races.add(exited)
    try:
        await asyncio.wait(races, return_when=asyncio.FIRST_COMPLETED)
        if exited and exited.done():
            return Ended()
        if cancelled.done():
            return Cancelled()
        silent: Silent | None = asking.result()
        return silent or Ready()
    finally:
        for race in races:
            race.cancel()
        await asyncio.gather(*races, return_exceptions=True)


async def ask_once(probes: Sequence[Probe], asker: Asker) -> str | None:
    """None if every question has its answer right now, else the first that has not."""
    for probe in probes:
        if (answer := await asker.ask(probe)) is not None:
            return answer
    return None


async def _ask_all(probes: Sequence[Probe], asker: Asker) -> Silent | None:
    """In their order: the cheap ones keep the costly ones from being asked in vain."""
    clock = asyncio.get_running_loop().time
    started = clock()
    for probe in probes:
        answer: str | None = "none yet"
        try:
            async with asyncio.timeout_at(started + probe.timeout):
                # Nobody would tell us: a service is asked, again and again.
                while (answer := await asker.ask(probe)) is not None:  # noqa: ASYNC110
                    await asyncio.sleep(probe.interval)
        except TimeoutError:
            return Silent(seconds=probe.timeout, answer=answer or "none yet")
    return None

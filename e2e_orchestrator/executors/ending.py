"""The end of a child, alone or as a pack: how it is ended, and what is left of its words."""

import asyncio

from e2e_orchestrator.model.command import AttemptSpec
from e2e_orchestrator.model.outcomes import Output
from e2e_orchestrator.process.ending import Grace, end
from e2e_orchestrator.process.output import size_of, tail_of
from e2e_orchestrator.process.supervisor import Child
from e2e_orchestrator.protocols import Cancellation

_TAIL_BYTES = 4096


async def end_within(child: Child, *, grace: Grace, cancellation: Cancellation) -> bool:
    """True if it had to be killed; somebody in a hurry takes its grace away."""
    hurry = asyncio.Event()
    hurried = asyncio.create_task(_set_when_urgent(cancellation, hurry))
    try:
        return await end(child, grace=grace, hurry=hurry)
    finally:
        hurried.cancel()


async def _set_when_urgent(cancellation: Cancellation, hurry: asyncio.Event) -> None:
    await cancellation.wait(kill=True)
    hurry.set()


def printed(spec: AttemptSpec) -> Output:
    """The log of an attempt as reports show it; empty if there is none."""
    path = spec.output.relative_to(spec.output_root).as_posix()
    return Output(path=path, size=size_of(spec.output), tail=tail_of(spec.output, size=_TAIL_BYTES))

"""Uploads without a server: what the run says while it waits for them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Gate
from typing import BinaryIO

import pytest
from support.virtual import run_virtually

from e2e_orchestrator.model.events import Event, Warned
from e2e_orchestrator.model.outcomes import Attachment, Attempt, passed
from e2e_orchestrator.model.storing import ArtifactsAwaited, ArtifactsStored
from e2e_orchestrator.safety.masking import Mask
from e2e_orchestrator.storing.uploads import MOMENT_SECONDS, SETTLING_SECONDS, Uploads

SIZES = {"a.txt": 1_000, "b.txt": 24, "c.txt": 0}
LONGEST = 60.0  # Real seconds, for a thread that a test forgot.


@dataclass(kw_only=True)
class Bucket:
    """Takes a file when its gate is open."""

    gate: Gate
    address: str = "s3://bucket/e2e"
    taken: list[str] = field(default_factory=list)

    def put(self, file: BinaryIO, *, name: str, content_type: str) -> str:
        self.gate.wait(LONGEST)
        self.taken.append(name)
        return f"https://bucket/{name}"


@dataclass(kw_only=True)
class Told:
    events: list[Event] = field(default_factory=list)
    stored: asyncio.Event = field(default_factory=asyncio.Event)

    async def emit(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, ArtifactsStored):
            self.stored.set()

    @property
    def awaited(self) -> list[ArtifactsAwaited]:
        return [one for one in self.events if isinstance(one, ArtifactsAwaited)]


@contextmanager
def gate(*, opened: bool) -> Iterator[Gate]:
    """Opened at the end, so that no thread stays."""
    made = Gate()
    if opened:
        made.set()
    try:
        yield made
    finally:
        made.set()


def begun(tmp_path: Path, *, through: Gate, told: Told) -> Uploads:
    """The files of one attempt are on their way."""
    folder = tmp_path / "runs" / "r"
    folder.mkdir(parents=True)
    for name, size in SIZES.items():
        (folder / name).write_bytes(b"x" * size)
    attachments = tuple(Attachment(name=name, path=f"runs/r/{name}") for name in SIZES)
    attempt = Attempt(
        number=1, started_at="", duration=1.0, verdict=passed(), slot=0, attachments=attachments
    )
    uploads = Uploads(
        bucket=Bucket(gate=through), output=tmp_path, folder=folder, mask=Mask(()), emit=told.emit
    )
    uploads.begin("p/t", attempt)
    return uploads


def test_a_wait_is_announced_after_a_moment_with_files_size_and_place(tmp_path: Path) -> None:
    told, times = Told(), list[float]()

    async def settle(through: Gate) -> None:
        now = asyncio.get_running_loop().time

        async def emit(event: Event) -> None:
            times.append(now())
            await told.emit(event)

        uploads = begun(tmp_path, through=through, told=told)
        uploads.emit = emit
        await uploads.settle(hurry=asyncio.Event())

    with gate(opened=False) as shut:
        run_virtually(settle(shut))
    first, last = told.events
    rest = SETTLING_SECONDS - MOMENT_SECONDS
    assert first == ArtifactsAwaited(files=3, size=1_024, address="s3://bucket/e2e", seconds=rest)
    assert isinstance(last, Warned)
    assert "3 of 3 artifacts were not stored in s3://bucket/e2e" in last.message
    assert times == pytest.approx([MOMENT_SECONDS, SETTLING_SECONDS])


def test_whoever_is_in_a_hurry_is_told_of_no_wait(tmp_path: Path) -> None:
    told = Told()

    async def settle(through: Gate) -> None:
        hurry = asyncio.Event()
        hurry.set()
        await begun(tmp_path, through=through, told=told).settle(hurry=hurry)

    with gate(opened=False) as shut:
        run_virtually(settle(shut))
    assert told.awaited == []
    assert isinstance(told.events[-1], Warned)


def test_what_is_stored_already_is_not_waited_for(tmp_path: Path) -> None:
    told = Told()

    async def settle(through: Gate) -> None:
        uploads = begun(tmp_path, through=through, told=told)
        await told.stored.wait()
        await uploads.settle(hurry=asyncio.Event())

    with gate(opened=True) as through:
        asyncio.run(settle(through))
    [event] = told.events
    assert isinstance(event, ArtifactsStored)
    assert sorted(one.path for one in event.stored) == [f"runs/r/{name}" for name in SIZES]

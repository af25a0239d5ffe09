"""Uploads the files of attempts while the run goes on, a few at a time, and says what came of it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from e2e_orchestrator.model.events import Event, Warned
from e2e_orchestrator.model.outcomes import Attachment, Attempt
from e2e_orchestrator.model.pictures import is_picture
from e2e_orchestrator.model.shortened import shortened
from e2e_orchestrator.model.storing import ArtifactsAwaited, ArtifactsStored, Stored
from e2e_orchestrator.process.output import size_of
from e2e_orchestrator.safety.folder import holds_secret
from e2e_orchestrator.safety.masking import Mask
from e2e_orchestrator.safety.regular import open_regular
from e2e_orchestrator.storing.s3 import CannotStore

FILE_SECONDS = 60.0
SETTLING_SECONDS, SETTLING_SECONDS_IN_A_HURRY = 30.0, 0.5
MOMENT_SECONDS = 2.0  # What nobody has to be told about.
_AT_ONCE = 4


class Bucket(Protocol):
    """Where files go; blocks, and raises CannotStore."""

    @property
    def address(self) -> str: ...

    def put(self, file: BinaryIO, *, name: str, content_type: str) -> str: ...


@dataclass(slots=True, eq=False)
class _Batch:
    """The files of one attempt: those that wait, and those that are stored."""

    test: str
    number: int
    waiting: dict[str, Attachment]
    stored: list[Stored] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Uploads:
    """``folder`` is the run's own, below ``output``, and named after the run; ``pictures``: also those."""

    bucket: Bucket
    output: Path
    folder: Path
    mask: Mask
    emit: Callable[[Event], Awaitable[None]]
    pictures: bool = True
    file_seconds: float = FILE_SECONDS
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _tasks: dict[asyncio.Task[None], _Batch] = field(default_factory=dict)
    _left: dict[str, list[str]] = field(default_factory=dict)
    _number: int = 0

    def begin(self, test: str, attempt: Attempt) -> None:
        """Returns at once. Call it when nobody writes the attempt's files any more."""
        files = {one.path: one for one in _files(attempt) if self.pictures or not is_picture(one)}
        if files:
            self._number += len(files)
            batch = _Batch(test, attempt.number, files)
            self._tasks[asyncio.create_task(self._upload(batch))] = batch

    async def settle(self, *, hurry: asyncio.Event) -> None:
        """Waits for what is under way, up to a limit; says what was not stored. No upload begins afterwards.

        A wait that is longer than a moment is announced: nothing else would tell why the run goes on.
        """
        if self._tasks:
            pending = asyncio.ensure_future(asyncio.wait(self._tasks))
            hurried = asyncio.ensure_future(hurry.wait())
            if not await _first_of(pending, hurried, seconds=MOMENT_SECONDS):
                await self.emit(self._awaited())
                await _first_of(pending, hurried, seconds=SETTLING_SECONDS - MOMENT_SECONDS)
            if hurried.done():
                await asyncio.wait({pending}, timeout=SETTLING_SECONDS_IN_A_HURRY)
            pending.cancel()
            hurried.cancel()
        for task, batch in self._tasks.items():
            if not task.done():
                task.cancel()
                await self._tell(batch)
                for path in batch.waiting:
                    self._leave(batch, path, why=_why_left(hurried=hurry.is_set()))
        self._tasks.clear()
        if self._left:
            await self.emit(Warned(message=self._said()))

    def _awaited(self) -> ArtifactsAwaited:
        waiting = [path for batch in self._tasks.values() for path in batch.waiting]
        return ArtifactsAwaited(
            files=len(waiting),
            size=sum(size_of(self.output / path) for path in waiting),
            address=self.bucket.address,
            seconds=SETTLING_SECONDS - MOMENT_SECONDS,
        )

    async def _upload(self, batch: _Batch) -> None:
        await asyncio.gather(*(self._one(batch, one) for one in tuple(batch.waiting.values())))
        await self._tell(batch)

    async def _tell(self, batch: _Batch) -> None:
        """Twice, if somebody lost patience meanwhile: what is said twice is the same, what is lost is gone."""
        if stored := tuple(batch.stored):
            await self.emit(ArtifactsStored(test=batch.test, attempt=batch.number, stored=stored))

    async def _one(self, batch: _Batch, file: Attachment) -> None:
        async with self._room:
            why: str | None = None
            try:
                url = await _in_thread(lambda: self._put(file), seconds=self.file_seconds)
            except TimeoutError:
                why = f"not through after {self.file_seconds:g} s"
            except CannotStore as error:
                why = str(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on.
                why = f"{type(error).__name__}: {error}"
            else:
                batch.stored.append(Stored(path=file.path, url=url))
        del batch.waiting[file.path]
        if why is not None:
            self._leave(batch, file.path, why=why)

    def _leave(self, batch: _Batch, path: str, *, why: str) -> None:
        name = f"{path.rpartition('/')[2]} of {batch.test}, attempt {batch.number}"
        self._left.setdefault(why, []).append(name)

    def _put(self, file: Attachment) -> str:
        """In a thread. What reports would not show, and what is not the run's own, stays here."""
        path = (self.output / file.path).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise CannotStore("it lies outside of the run's own folder")
        try:
            with open_regular(path, follow=False) as source:
                if holds_secret(source, self.mask):
                    raise CannotStore("it may hold a secret that could not be masked")
                source.seek(0)
                name = f"{self.folder.name}/{path.relative_to(self.folder.resolve()).as_posix()}"
                return self.bucket.put(source, name=name, content_type=file.content_type)
        except OSError as error:
            raise CannotStore(f"it cannot be read: {error.strerror}") from error

    def _said(self) -> str:
        """By reason, because one usually holds for all."""
        number = sum(map(len, self._left.values()))
        said = "; ".join(f"{why}: {shortened(names)}" for why, names in self._left.items())
        return (
            f"{number} of {self._number} artifacts were not stored in {self.bucket.address}, "
            f"the local copies stay: {said}"
        )


async def _first_of(*tasks: asyncio.Future[Any], seconds: float) -> bool:
    """Whether one of them was done in time."""
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def _why_left(*, hurried: bool) -> str:
    if hurried:
        return "the run was told to end"
    return f"not through {SETTLING_SECONDS:g} s after the last test"


def _files(attempt: Attempt) -> list[Attachment]:
    return [*attempt.attachments, *(one for case in attempt.cases for one in case.attachments)]


async def _in_thread(work: Callable[[], str], *, seconds: float) -> str:
    """In a daemon of its own: one that hangs for good neither fills a pool nor keeps the program from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def answer(result: str | Exception) -> None:
        if done.done():
            return  # Nobody waits any more.
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)

    def run() -> None:
        try:
            result: str | Exception = work()
        except Exception as error:  # noqa: BLE001 - handed on.
            result = error
        with suppress(RuntimeError):  # The loop is closed.
            loop.call_soon_threadsafe(answer, result)

    threading.Thread(target=run, name="upload", daemon=True).start()
    async with asyncio.timeout(seconds):
        return await done

"""Copies of a SQLite file: one taken with the backup interface, and a copy of that for each slot."""

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from e2e_orchestrator.errors import InfrastructureError, SafeguardRefused
from e2e_orchestrator.isolation.directory import SLOTS
from e2e_orchestrator.isolation.driver import Base, CannotIsolate, World
from e2e_orchestrator.isolation.names import TEMPLATE
from e2e_orchestrator.model.isolation import CopiedData

_BUSY_SECONDS = 10.0


class SqliteDriver:
    """See :class:`Driver`. All copies lie in the run's own folder; the base is only ever read."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._file = Path(base.address.database)
        self._folder = base.owner.folder / SLOTS / "databases"
        self._template: Path | None = None
        self._lock = asyncio.Lock()

    async def examine(self) -> None:
        if self._file.name in ("", ":memory:") or str(self._file).startswith("file:"):
            raise CannotIsolate(
                f"{self._base.variable} names no file", hint="write sqlite:///relative or sqlite:////absolute"
            )
        if not self._base.source.is_built and not self._file.is_file():
            raise InfrastructureError(
                f"{self._base.variable}: there is no database {self._file}",
                hint="create it before the run, or let `databases:` build it with `sql` or `migrate`",
            )

    async def make(self, slot: int) -> World:
        return await self._put(slot)

    async def reset(self, slot: int) -> World:
        """Within the same file, because a slot's application may have it open and would go on with the old one."""
        copy = self._copy(slot)
        if self._template is None or not _is_a_file_alone(copy):
            return await self._put(slot)
        self._refuse_a_stranger(copy)
        try:
            await asyncio.to_thread(_restore, self._template, copy)
        except sqlite3.OperationalError as error:
            raise InfrastructureError(
                f"{copy.name} cannot be made anew: {error}",
                hint="something that outlives its test holds it: a slot's service in an open transaction",
            ) from None
        except sqlite3.DatabaseError:  # A test has made something else of it.
            return await self._put(slot)
        return self._world(copy)

    async def release(self, slot: int) -> None:
        await asyncio.to_thread(self._give_back, self._copy(slot))

    async def close(self) -> None:
        if self._template:
            await asyncio.to_thread(self._give_back, self._template)

    def _give_back(self, copy: Path) -> None:
        """Slots and the template leave at the same time: the last one takes the folder along."""
        self._remove(copy)
        with suppress(OSError):  # Others are still there.
            self._folder.rmdir()

    def _copy(self, part: int | str) -> Path:
        return self._folder / f"{self._base.name(part)}.sqlite3"

    async def _put(self, slot: int) -> World:
        async with self._lock:
            if self._template is None:
                self._template = await self._build()
        copy = self._copy(slot)
        await asyncio.to_thread(self._replace, copy, self._template)
        return self._world(copy)

    def _world(self, copy: Path) -> World:
        address = self._base.address.with_database(str(copy))
        return World(name=copy.name, environment={self._base.variable: address})

    def _replace(self, copy: Path, template: Path) -> None:
        """A reader of the old file keeps what it has; nobody ever sees half a copy."""
        self._remove(copy)
        aside = copy.with_suffix(".part")
        shutil.copyfile(template, aside)
        aside.replace(copy)

    async def _build(self) -> Path:
        template = self._copy(TEMPLATE)
        source = self._base.source
        await asyncio.to_thread(self._begin, template)
        if source.migrate:
            await self._base.migrate(source, self._base.address.with_database(str(template)))
            await asyncio.to_thread(_settle, template)
        if self._base.data is CopiedData.NONE:
            await asyncio.to_thread(_empty, template)
        return template

    def _begin(self, template: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._remove(template)
        source = self._base.source
        try:
            if not source.is_built:
                _back_up(self._file, template)
            elif source.sql:
                with closing(sqlite3.connect(template)) as made:
                    made.executescript(Path(source.sql).read_text(encoding="utf-8"))
                    made.commit()
        except (sqlite3.Error, OSError, UnicodeError) as error:
            raise InfrastructureError(f"{source.sql or self._file} cannot be copied: {error}") from None

    def _remove(self, file: Path) -> None:
        """Only ever a file of ours, whatever a link on the way to it says."""
        if not file.parent.exists():
            return
        self._refuse_a_stranger(file)
        # With SQLite's own files beside it, and what applications put there.
        with suppress(FileNotFoundError):  # The folder went with who left last.
            for one in list(file.parent.iterdir()):
                if one.name.startswith(file.name) and (one.is_symlink() or not one.is_dir()):
                    one.unlink(missing_ok=True)

    def _refuse_a_stranger(self, file: Path) -> None:
        if file.parent.resolve() != self._folder.resolve() or self._folder.is_symlink():
            raise SafeguardRefused(f"{file} is not in the folder of this run: it stays as it is")


def _back_up(base: Path, copy: Path) -> None:
    """The whole state at one moment, also while others write; the base is opened for reading only."""
    with (
        closing(
            sqlite3.connect(f"{base.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        ) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        _copy_all(source, target)
        target.execute("PRAGMA journal_mode = DELETE")


def _restore(template: Path, copy: Path) -> None:
    """Whoever has the copy open sees the template's rows in his next transaction."""
    with (
        closing(sqlite3.connect(f"{template.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(copy, timeout=1.0)) as target,
    ):
        _copy_all(source, target)


def _copy_all(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Raises OperationalError if one of them is locked for too long: the interface itself would try for ever."""
    until = time.monotonic() + _BUSY_SECONDS

    def go_on(status: int, _remaining: int, _total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > until:
            raise sqlite3.OperationalError("database is locked")

    source.backup(target, progress=go_on, sleep=0.02)


def _is_a_file_alone(copy: Path) -> bool:
    """Neither a link nor a file of another name too: a test may put these there, and neither is ours to write to."""
    return not copy.is_symlink() and copy.is_file() and copy.stat().st_nlink == 1


def _settle(template: Path) -> None:
    """In one file: what is copied is the file alone, and a migration that was ended leaves a log beside it."""
    if template.stat().st_size:
        with closing(sqlite3.connect(template, timeout=_BUSY_SECONDS)) as made:
            made.execute("PRAGMA journal_mode = DELETE")


def _empty(copy: Path) -> None:
    """Every row of every table but those that a migration tool keeps its books in."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as made:
        made.execute("PRAGMA foreign_keys = OFF")
        found = made.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
            "AND sql NOT LIKE 'CREATE VIRTUAL%' AND name NOT IN ('django_migrations', 'alembic_version')"
        ).fetchall()
        triggers = made.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        made.execute("BEGIN")
        for name, _ in triggers:
            made.execute(f"DROP TRIGGER {_quoted(name)}")
        for name, _ in found:
            made.execute(f"DELETE FROM {_quoted(name)}")  # noqa: S608 - quoted.
        if made.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
            made.execute("DELETE FROM sqlite_sequence")
        for _, statement in triggers:
            made.execute(statement)
        made.execute("COMMIT")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""The registered models, in SQLite and in memory.

Every change is one transaction with WAL and synchronous=FULL: after a kill at any moment it is
there wholly or not at all. One service at a time owns a file (a lock that the kernel drops when
the process ends), so reads are answered from memory.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, delete, event, insert, select, text, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from llm_runner_router.errors import (
    AlreadyExistsError,
    InvalidConfigError,
    ModelBusyError,
    ModelNotFoundError,
    UnavailableError,
    shorten,
)
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.schema import (
    SCHEMA_VERSION,
    dump_json,
    from_row,
    metadata,
    models,
    to_row,
)

T = TypeVar("T")
Change = Callable[[ModelRecord], ModelRecord]


class RegistryStore:
    """Belongs to one event loop. Use ``open``; close it when done.

    Methods that change something either take effect wholly and durably or raise; cancelling the
    caller does not stop a change that has begun.
    """

    def __init__(
        self, engine: AsyncEngine, records: dict[str, ModelRecord], file_lock: FileLock | None
    ) -> None:
        self._engine = engine
        self._records = records
        self._file_lock = file_lock
        self._writing = asyncio.Lock()
        self._closed = False

    @classmethod
    async def open(cls, path: Path | None) -> RegistryStore:
        """Open or create the file; ``None`` keeps the registry in memory only.

        InvalidConfigError where the file is no registry, is of a newer version, or is in use.
        """
        file_lock = FileLock.acquire(path) if path is not None else None
        engine = create_engine(path)
        try:
            await asyncio.to_thread(probe, path)
            async with engine.begin() as connection:
                await migrate(connection, path)
                rows = (await connection.execute(select(models))).mappings().all()
                records = {row["id"]: from_row(row) for row in rows}
        except (SQLAlchemyError, sqlite3.Error, ValueError, TypeError, KeyError) as error:
            await engine.dispose()
            release(file_lock)
            raise unusable(path, f"a registry file ({first_line(error)})") from None
        except BaseException:
            await engine.dispose()
            release(file_lock)
            raise
        return cls(engine, records, file_lock)

    def __len__(self) -> int:
        return len(self._records)

    def get(self, model: str) -> ModelRecord:
        """The record of ``model``; ModelNotFoundError where there is none."""
        record = self._records.get(model)
        if record is None:
            raise ModelNotFoundError(model)
        return record

    def page(self, after: str, limit: int) -> Sequence[ModelRecord]:
        """At most ``limit`` records whose ids sort behind ``after``, in the order of ids."""
        ids = sorted(model for model in self._records if model > after)
        return [self._records[model] for model in ids[:limit]]

    async def add(self, record: ModelRecord) -> ModelRecord:
        """Store a new record; it comes back with its etag."""
        return await self._exclusively(lambda: self._add(record))

    async def update(self, model: str, change: Change, etag: str = "") -> ModelRecord:
        """Replace a record by ``change(record)``.

        ModelBusyError where ``etag`` is given and is not the present one.
        """
        return await self._exclusively(lambda: self._update(model, change, etag))

    async def remove(self, model: str) -> ModelRecord:
        """Forget a record; it comes back as it was."""
        return await self._exclusively(lambda: self._remove(model))

    async def close(self) -> None:
        """Finish what is being written and let go of the file. May be called more than once."""
        await asyncio.shield(asyncio.ensure_future(self._close()))

    async def _add(self, record: ModelRecord) -> ModelRecord:
        if record.id in self._records:
            raise AlreadyExistsError(f"model {shorten(record.id)} is registered already")
        stored = replace(record, etag=new_etag())
        async with self._engine.begin() as connection:
            await connection.execute(insert(models).values(to_row(stored)))
        self._records[stored.id] = stored
        return stored

    async def _update(self, model: str, change: Change, etag: str) -> ModelRecord:
        present = self.get(model)
        if etag and etag != present.etag:
            raise ModelBusyError(
                f"model {shorten(model)} was changed meanwhile: its etag is {present.etag!r}"
            )
        stored = replace(change(present), id=model, etag=new_etag())
        async with self._engine.begin() as connection:
            statement = update(models).where(models.c.id == model)
            await connection.execute(statement.values(to_row(stored)))
        self._records[model] = stored
        return stored

    async def _remove(self, model: str) -> ModelRecord:
        present = self.get(model)
        async with self._engine.begin() as connection:
            await connection.execute(delete(models).where(models.c.id == model))
        del self._records[model]
        return present

    async def _close(self) -> None:
        async with self._writing:
            if not self._closed:
                self._closed = True
                await self._engine.dispose()
                release(self._file_lock)

    async def _exclusively(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run one change after the other, each to its end even if the caller is cancelled."""
        return await asyncio.shield(asyncio.ensure_future(self._guarded(work)))

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        async with self._writing:
            if self._closed:
                raise UnavailableError("the registry is closed")
            try:
                return await work()
            except DBAPIError as error:
                message = f"the registry cannot be written: {first_line(error)}"
                raise UnavailableError(message) from None


class FileLock:
    """The right to use a registry file, held beside it in ``<name>.lock``."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> FileLock:
        """Take the lock or raise InvalidConfigError; creates the folder."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(path.with_name(path.name + ".lock"), flags, 0o600)
        except (OSError, ValueError) as error:
            raise unusable(path, f"a path that can be written ({error})") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise unusable(path, "a file that no other running service uses") from None
        return cls(descriptor)

    def release(self) -> None:
        """Give it back. Called once."""
        os.close(self._descriptor)


def release(lock: FileLock | None) -> None:
    """Give back a lock where there is one."""
    if lock is not None:
        lock.release()


def create_engine(path: Path | None) -> AsyncEngine:
    """The SQLAlchemy engine of a file, or of a database in memory."""
    url = URL.create("sqlite+aiosqlite", database=None if path is None else str(path))
    # One connection: changes come one after the other anyway, and memory has only one.
    engine = create_async_engine(url, poolclass=StaticPool, json_serializer=dump_json)
    event.listen(engine.sync_engine, "connect", configure)
    return engine


def configure(connection: DBAPIConnection, _: object) -> None:
    """Make a commit durable before it returns."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def probe(path: Path | None) -> None:
    """Raise what SQLite has against the file, before a connection with a thread is made."""
    if path is not None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version")


async def migrate(connection: AsyncConnection, path: Path | None) -> None:
    """Bring an empty database to SCHEMA_VERSION; refuse anything else that is not of it."""
    version = (await connection.execute(text("PRAGMA user_version"))).scalar_one()
    if version == SCHEMA_VERSION:
        return
    tables = (await connection.execute(text("SELECT count(*) FROM sqlite_master"))).scalar_one()
    if version != 0 or tables:
        raise unusable(path, f"a registry file of schema version {SCHEMA_VERSION}")
    # The driver begins no transaction before DDL by itself; a kill in between must leave nothing.
    await connection.execute(text("BEGIN IMMEDIATE"))
    await connection.run_sync(metadata.create_all)
    await connection.execute(text(f"PRAGMA user_version={SCHEMA_VERSION}"))


def unusable(path: Path | None, allowed: str) -> InvalidConfigError:
    """The error of a file that cannot be opened."""
    return InvalidConfigError("registry.path", str(path), allowed)


def first_line(error: BaseException) -> str:
    """The cause, without SQLAlchemy's statement and link."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def new_etag() -> str:
    """A value that no earlier version of a record has had."""
    return secrets.token_hex(8)

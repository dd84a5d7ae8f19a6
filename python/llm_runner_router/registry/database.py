"""The SQLite file of the registry: opened, brought to the present schema, changed.

WAL and synchronous=FULL: after a kill at any moment a transaction is there wholly or not at all.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from llm_runner_router.errors import InvalidConfigError, UnavailableError
from llm_runner_router.registry.file_lock import FileLock, unusable
from llm_runner_router.registry.schema import SCHEMA_VERSION, UPGRADES, dump_json, metadata

T = TypeVar("T")

DAMAGED = (SQLAlchemyError, sqlite3.Error, ValueError, TypeError, KeyError)
"""What reading rows of a file raises that is no registry, or a damaged one."""


class Database:
    """Belongs to one event loop and owns its file. Use ``open``; close it when done."""

    def __init__(self, path: Path | None, engine: AsyncEngine, file_lock: FileLock | None) -> None:
        self._path = path
        self._engine = engine
        self._file_lock = file_lock
        self._using = asyncio.Lock()
        self._closed = False

    @classmethod
    async def open(
        cls, path: Path | None, load: Callable[[AsyncConnection], Awaitable[T]]
    ) -> tuple[Database, T]:
        """Open or create the file, and what ``load`` makes of it; ``None`` lives in memory only.

        InvalidConfigError where the file is no registry, is of a newer version, or is in use; it
        is left as it was then.
        """
        file_lock = FileLock.acquire(path) if path is not None else None
        database = cls(path, create_engine(path), file_lock)
        try:
            await asyncio.to_thread(probe, path)
            async with database.begin() as connection:
                await migrate(connection, path)
                return database, await load(connection)
        except DAMAGED as error:
            await database.close()
            raise database.damaged(error) from None
        except BaseException:
            await database.close()
            raise

    def damaged(self, error: BaseException) -> InvalidConfigError:
        """The error of a file whose rows cannot be read."""
        return unusable(self._path, f"a registry file ({first_line(error)})")

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One transaction. Only within ``exclusively``: there is one connection."""
        return self._engine.begin()

    async def exclusively(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run one piece of work after the other, each to its end if the caller is cancelled.

        UnavailableError where the file cannot be written, or after ``close``.
        """
        return await asyncio.shield(asyncio.ensure_future(self._guarded(work)))

    async def close(self) -> None:
        """Finish what is being written and let go of the file. May be called more than once."""
        await asyncio.shield(asyncio.ensure_future(self._close()))

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        async with self._using:
            if self._closed:
                raise UnavailableError("the registry is closed")
            try:
                return await work()
            except DBAPIError as error:
                message = f"the registry cannot be written: {first_line(error)}"
                raise UnavailableError(message) from None

    async def _close(self) -> None:
        async with self._using:
            if not self._closed:
                self._closed = True
                await self._engine.dispose()
                if self._file_lock is not None:
                    self._file_lock.release()


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
    """Bring an empty or an older database to SCHEMA_VERSION; refuse any other."""
    version = (await connection.execute(text("PRAGMA user_version"))).scalar_one()
    if version == SCHEMA_VERSION:
        return
    tables = (await connection.execute(text("SELECT count(*) FROM sqlite_master"))).scalar_one()
    if not 0 <= version < SCHEMA_VERSION or (version == 0 and tables):
        raise unusable(path, f"a registry file of schema version {SCHEMA_VERSION} or older")
    # The driver begins no transaction before DDL by itself; a kill in between must leave nothing.
    await connection.execute(text("BEGIN IMMEDIATE"))
    for old in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
        for statement in UPGRADES[old]:
            await connection.execute(text(statement))
    await connection.run_sync(metadata.create_all)
    await connection.execute(text(f"PRAGMA user_version={SCHEMA_VERSION}"))


def first_line(error: BaseException) -> str:
    """The cause, without SQLAlchemy's statement and link."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]

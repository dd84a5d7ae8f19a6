"""A registry in an SQLite file, or in memory.

WAL and synchronous=FULL: after a kill at any moment a transaction is there wholly or not at all.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.registry.storage.file_lock import FileLock, unusable
from llm_runner_router.registry.storage.location import EMPTY, UNKNOWN, Location
from llm_runner_router.registry.storage.schema import dump_json

FORMER_REVISIONS = {0: EMPTY, 1: "0001", 2: "0002"}
"""By ``PRAGMA user_version``, which told the version before there were revisions."""

USER_VERSION = 3
"""One that services of that time refuse."""


class SqliteFile(Location):
    """One service at a time owns a file; ``None`` lives in memory only."""

    shared = False
    failures = (DBAPIError, sqlite3.Error)

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock: FileLock | None = None

    async def acquire(self) -> None:
        """Lock the file, and see whether SQLite has anything against it."""
        if self._path is None:
            return
        self._lock = FileLock.acquire(self._path)
        try:
            # Before a connection with a thread is made.
            await asyncio.to_thread(probe, self._path)
        except BaseException as error:
            self.release()
            if isinstance(error, sqlite3.Error):
                raise self.unusable(f"a registry file ({error})") from None
            raise

    def engine(self) -> AsyncEngine:
        """One connection: changes come one after the other anyway, and memory has only one."""
        name = None if self._path is None else str(self._path)
        url = URL.create("sqlite+aiosqlite", database=name)
        engine = create_async_engine(url, poolclass=StaticPool, json_serializer=dump_json)
        event.listen(engine.sync_engine, "connect", configure)
        return engine

    async def claim(self, connection: AsyncConnection) -> None:
        """Begin by hand: the driver does so before INSERT, UPDATE and DELETE only."""
        await connection.execute(text("BEGIN IMMEDIATE"))

    async def announce(self, connection: AsyncConnection, sequence: int) -> None:
        """Nobody else looks at the file."""
        del connection, sequence

    async def listen(self, tell: Callable[[], None]) -> None:
        """There is nobody to listen to."""
        del tell

    async def former_revision(self, connection: AsyncConnection) -> str:
        """As ``user_version`` says."""
        version = (await connection.execute(text("PRAGMA user_version"))).scalar_one()
        return FORMER_REVISIONS.get(version, UNKNOWN)

    async def fence(self, connection: AsyncConnection) -> None:
        """They look at ``user_version``."""
        await connection.execute(text(f"PRAGMA user_version={USER_VERSION}"))

    def unusable(self, allowed: str) -> InvalidConfigError:
        """It names ``registry.path``."""
        return unusable(self._path, allowed)

    def release(self) -> None:
        """Let another service have the file."""
        if self._lock is not None:
            self._lock.release()


def configure(connection: DBAPIConnection, _: object) -> None:
    """Make a commit durable before it returns."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def probe(path: Path) -> None:
    """Raise what SQLite has against the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version")

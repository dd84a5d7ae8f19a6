"""The database of the registry: opened, brought to the present tables, changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.errors import InvalidConfigError, UnavailableError
from llm_runner_router.registry.storage.location import Location
from llm_runner_router.registry.storage.migration import migrate
from llm_runner_router.registry.storage.sqlite_file import SqliteFile

T = TypeVar("T")

DAMAGED = (SQLAlchemyError, ValueError, TypeError, KeyError)
"""What reading rows raises of a database that is no registry, or a damaged one."""


class Database:
    """Belongs to one event loop. Use ``open``; close it when done."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self._engine = location.engine()
        self._using = asyncio.Lock()
        self._closed = False

    @classmethod
    async def open(
        cls, place: Path | str | None, load: Callable[[AsyncConnection], Awaitable[T]]
    ) -> tuple[Database, T]:
        """Open or create what lies at ``place``, and what ``load`` makes of it.

        A path is that of an SQLite file, text the address of a PostgreSQL; ``None`` lives in
        memory only. InvalidConfigError where it is no registry, is of a newer version, is in use
        or cannot be reached; it is left as it was then.
        """
        location = located(place)
        await location.acquire()
        database = cls(location)
        damage: tuple[type[Exception], ...] = (*DAMAGED, *location.failures)
        try:
            async with database.begin() as connection:
                await migrate(connection, location)
                return database, await load(connection)
        except damage as error:
            await database.close()
            raise database.damaged(error) from None
        except BaseException:
            await database.close()
            raise

    @property
    def shared(self) -> bool:
        """Whether other processes may write to it too."""
        return self.location.shared

    def damaged(self, error: BaseException) -> InvalidConfigError:
        """The error of a database whose rows cannot be read."""
        return self.location.unusable(f"a registry that can be read ({first_line(error)})")

    def begin(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """One transaction. Only within ``exclusively``: there is one connection."""
        return self._engine.begin()

    async def exclusively(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run one piece of work after the other, each to its end if the caller is cancelled.

        UnavailableError where the database cannot be read or written, or after ``close``.
        """
        return await asyncio.shield(asyncio.ensure_future(self._guarded(work)))

    async def close(self) -> None:
        """Finish what is being written and let go of the database. May be called more than once."""
        await asyncio.shield(asyncio.ensure_future(self._close()))

    async def _guarded(self, work: Callable[[], Awaitable[T]]) -> T:
        async with self._using:
            if self._closed:
                raise UnavailableError("the registry is closed")
            try:
                return await work()
            except self.location.failures as error:
                message = f"the registry cannot be used: {first_line(error)}"
                raise UnavailableError(message) from None

    async def _close(self) -> None:
        async with self._using:
            if not self._closed:
                self._closed = True
                await self._engine.dispose()
                self.location.release()


def located(place: Path | str | None) -> Location:
    """The location that is meant. InvalidConfigError for the address of anything else."""
    if not isinstance(place, str):
        return SqliteFile(place)
    return postgresql(place)


def postgresql(url: str) -> Location:
    """A PostgreSQL. The error shows the scheme alone: an address may hold a password."""
    shown = f"{url.partition('://')[0]}://…" if "://" in url else "…"
    if not url.startswith(("postgresql://", "postgres://")):
        allowed = "postgresql://user:password@host:port/database"
        raise InvalidConfigError("registry.url", shown, allowed)
    try:
        from llm_runner_router.registry.storage.postgresql import PostgresqlDatabase  # noqa: PLC0415
    except ImportError:
        extra = "the extra `postgresql` installed (llm-runner-router[postgresql])"
        raise InvalidConfigError("registry.url", shown, f"null, or {extra}") from None
    return PostgresqlDatabase(url)


def first_line(error: BaseException) -> str:
    """The cause, without SQLAlchemy's statement and link."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__

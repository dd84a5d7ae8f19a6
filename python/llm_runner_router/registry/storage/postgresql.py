"""A registry in a PostgreSQL that several service processes may share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.registry.storage.location import EMPTY, Location
from llm_runner_router.registry.storage.schema import dump_json

CHANNEL = "llm_runner_router_registry"
"""Changes are told here, as the sequence of the last one."""

LOCK = 0x6C6C6D722D726567
"""The advisory lock of whoever changes the registry."""

POLL_SECONDS = 5.0
"""How often a listener that hears nothing looks whether it is still connected."""

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 10.0

SETTINGS = {
    "application_name": "llm-runner-router",
    # Nobody holds the lock for long; one who does is ill or gone.
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
}


class PostgresqlDatabase(Location):
    """``url`` is what asyncpg and libpq understand: ``postgresql://user:password@host/database``."""

    shared = True
    failures = (DBAPIError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)

    def __init__(self, url: str) -> None:
        self._url = url

    async def acquire(self) -> None:
        """Everybody may use it; see that it can be reached at all."""
        try:
            await (await self.connect()).close()
        except (asyncpg.InterfaceError, ValueError, OverflowError):  # they quote the address
            raise self.unusable("postgresql://user:password@host:port/database") from None
        except self.failures as error:
            why = str(error) or type(error).__name__
            raise self.unusable(f"a PostgreSQL that can be used ({why})") from None

    async def connect(self) -> asyncpg.Connection:
        """A connection of its own. ``failures`` or ValueError where there is none."""
        return await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=SETTINGS,
        )

    def engine(self) -> AsyncEngine:
        """One connection: changes come one after the other anyway."""
        return create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self.connect,
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            json_serializer=dump_json,
        )

    async def claim(self, connection: AsyncConnection) -> None:
        """Wait for whoever changes the registry now."""
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})

    async def announce(self, connection: AsyncConnection, sequence: int) -> None:
        """PostgreSQL tells whoever listens as soon as the transaction is committed."""
        values = {"channel": CHANNEL, "sequence": str(sequence)}
        await connection.execute(text("SELECT pg_notify(:channel, :sequence)"), values)

    async def listen(self, tell: Callable[[], None]) -> None:
        """LISTEN on a connection of its own, and look now and then in case a word is lost."""
        connection = await self.connect()
        ended = asyncio.Event()
        connection.add_termination_listener(lambda *_: ended.set())
        try:
            await connection.add_listener(CHANNEL, lambda *_: tell())
            while not ended.is_set():
                tell()
                await connection.execute("SELECT 1", timeout=POLL_SECONDS)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), POLL_SECONDS)
        finally:
            connection.terminate()

    async def former_revision(self, connection: AsyncConnection) -> str:
        """There is none: revisions are older than this."""
        del connection
        return EMPTY

    async def fence(self, connection: AsyncConnection) -> None:
        """There are no such services."""

    def unusable(self, allowed: str) -> InvalidConfigError:
        """It names ``registry.url``."""
        return InvalidConfigError("registry.url", shown(self._url), allowed)

    def release(self) -> None:
        """Nothing was taken."""


def shown(url: str) -> str:
    """The address without its user, its password and its options; of a strange one the scheme."""
    hidden = f"{url.partition('://')[0]}://…"
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname or ''}{'' if parts.port is None else f':{parts.port}'}"
    except ValueError:
        return hidden
    # An unescaped password moves what follows it into other parts.
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        return hidden
    return f"{parts.scheme}://{place}{parts.path}"

"""How changes of the registry become durable, and how those of other processes come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.changes.log import (
    START,
    TOLD,
    Position,
    StoredChange,
    read_changes,
    write_changes,
)
from llm_runner_router.registry.content import Content
from llm_runner_router.registry.entries import Entry, Key, read_entries, write_entries
from llm_runner_router.registry.loaded import Loaded
from llm_runner_router.registry.storage.database import Database
from llm_runner_router.registry.storage.identity import read_epoch

T = TypeVar("T")
Decide = Callable[[Content], tuple[Sequence[Entry], T]]
"""What is to be written, and what comes of it; raises where it may not be."""


class Journal:
    """One transaction a change. Memory follows what was committed, here or elsewhere."""

    def __init__(self, database: Database, loaded: Loaded, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self.epoch = loaded.epoch
        self.content = loaded.content
        self.log = loaded.log
        self.revision = 0

    async def commit(self, decide: Decide[T]) -> T:
        """Write what ``decide`` makes of the content, which nobody else changes meanwhile."""
        return await self._database.exclusively(lambda: self._commit(decide))

    async def catch_up(self) -> None:
        """Bring in what other processes have changed. UnavailableError where that fails."""
        await self._database.exclusively(self._catch_up)

    async def _commit(self, decide: Decide[T]) -> T:
        async with self._database.begin() as connection:
            await self._database.location.claim(connection)
            if self._database.shared:
                await self._follow(connection)
            entries, result = decide(self.content)
            numbered = self._numbered(entries)
            if entries:
                await write_entries(connection, entries)
                await write_changes(connection, numbered)
                await self._database.location.announce(connection, numbered[-1].sequence)
        if entries:
            self._take(entries, numbered)
        return result

    def _numbered(self, entries: Sequence[Entry]) -> Sequence[StoredChange]:
        now = self._clock()
        return [
            StoredChange(number, entry.kind, entry.id, now)
            for number, entry in enumerate(entries, self.log.sequence + 1)
        ]

    async def _catch_up(self) -> None:
        async with self._database.begin() as connection:
            await self._follow(connection)

    async def _follow(self, connection: AsyncConnection) -> None:
        """Read what has changed since; everything, where it cannot be told what that is."""
        try:
            seen = self.log.position
            found = await read_changes(connection, seen.sequence)
            if not begins_with(found, seen):
                await self._begin_anew(connection)
                return
            new = [change for change in found if change.sequence > seen.sequence]
            if new:
                keys: list[Key] = list({(change.kind, change.id): None for change in new})
                self._take(await read_entries(connection, keys), new)
        except (ValueError, TypeError, KeyError) as error:
            message = f"the registry holds what this version cannot read: {error}"
            raise UnavailableError(message) from None

    def _take(self, entries: Sequence[Entry], numbered: Sequence[StoredChange]) -> None:
        self.content.take(entries)
        if any(change.kind in TOLD for change in numbered):
            self.revision += 1
        self.log.append(numbered)

    async def _begin_anew(self, connection: AsyncConnection) -> None:
        found = await read_changes(connection, 0)
        content, epoch = await Content.load(connection), await read_epoch(connection)
        self.content, self.epoch = content, epoch
        self.revision += 1
        self.log.reset(found)


def begins_with(found: Sequence[StoredChange], seen: Position) -> bool:
    """Whether ``found``, read from the number of ``seen`` on, goes on from that very change."""
    if seen == START:
        return not found or found[0].sequence == 1
    return bool(found) and found[0].position == seen

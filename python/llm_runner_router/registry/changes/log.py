"""What has changed in the registry, and who waits for more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.storage.schema import changes

REMEMBERED = 10_000
"""Changes that are kept; who was away for more of them looks at everything again."""

Kind = Literal["model", "alias", "template", "registry"]
"""What may change; ``registry`` is what an import said beyond its records."""

TOLD = ("model", "alias")
"""Kinds that concern those who ask."""


@dataclass(frozen=True, slots=True)
class StoredChange:
    """Something was set or removed; ``sequence`` numbers the changes without gaps."""

    sequence: int
    kind: Kind
    id: str


class ChangeLog:
    """The last changes in memory. Belongs to one event loop."""

    def __init__(self, found: Sequence[StoredChange]) -> None:
        self._changes = deque(found, maxlen=REMEMBERED)
        self._moved = asyncio.Event()
        self._closed = False

    @property
    def sequence(self) -> int:
        """The number of the last change; 0 before the first one."""
        return self._changes[-1].sequence if self._changes else 0

    def since(self, sequence: int) -> Sequence[StoredChange] | None:
        """What changed behind ``sequence``: the newest change of each thing, in their order.

        ``None`` where that is forgotten, or where ``sequence`` has not been yet.
        """
        behind = self.sequence - sequence
        if not 0 <= behind <= len(self._changes):
            return None
        first = len(self._changes) - behind
        newest: dict[tuple[str, str], StoredChange] = {}
        for change in list(self._changes)[first:]:
            newest.pop((change.kind, change.id), None)
            newest[change.kind, change.id] = change
        return [change for change in newest.values() if change.kind in TOLD]

    def append(self, found: Sequence[StoredChange]) -> None:
        """Take note of changes that follow the last one, and wake who waits."""
        self._changes.extend(found)
        self._wake()

    def reset(self, found: Sequence[StoredChange]) -> None:
        """Begin anew with what is remembered, and wake who waits."""
        self._changes = deque(found, maxlen=REMEMBERED)
        self._wake()

    async def changed(self, sequence: int) -> None:
        """Wait while ``sequence`` is that of the last change. UnavailableError after ``close``."""
        while not self._closed and self.sequence == sequence:
            await self._moved.wait()
        if self._closed:
            raise UnavailableError("the registry is closed")

    def close(self) -> None:
        """Send away who waits."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


async def read_changes(connection: AsyncConnection, first: int) -> list[StoredChange]:
    """The stored changes from ``first`` on, in their order."""
    table = changes.c
    wanted = select(table.sequence, table.kind, table.id).where(table.sequence >= first)
    found = await connection.execute(wanted.order_by(table.sequence))
    return [StoredChange(*row) for row in found.all()]


async def write_changes(
    connection: AsyncConnection, found: Sequence[StoredChange], now: float
) -> None:
    """Store changes that follow the last one, and forget the oldest."""
    values = [
        {"sequence": change.sequence, "kind": change.kind, "id": change.id, "written": now}
        for change in found
    ]
    await connection.execute(insert(changes), values)
    oldest = found[-1].sequence - REMEMBERED
    if oldest > 0:
        await connection.execute(delete(changes).where(changes.c.sequence <= oldest))

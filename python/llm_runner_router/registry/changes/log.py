"""What has changed in the registry, and who waits for more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal, NamedTuple

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


class Position(NamedTuple):
    """The last change that somebody has seen.

    Its time tells it from one that has its number in a database that was set back since.
    """

    sequence: int
    written: float


START = Position(0, 0.0)
"""Before the first change."""


@dataclass(frozen=True, slots=True)
class StoredChange:
    """Something was set or removed; ``sequence`` numbers the changes without gaps.

    ``written`` in seconds since 1970.
    """

    sequence: int
    kind: Kind
    id: str
    written: float = field(default=0.0, compare=False)

    @property
    def position(self) -> Position:
        """Of who has seen it and nothing later."""
        return Position(self.sequence, self.written)


class ChangeLog:
    """The last changes in memory. Belongs to one event loop."""

    def __init__(self, found: Sequence[StoredChange]) -> None:
        self._changes = deque(found, maxlen=REMEMBERED)
        self._moved = asyncio.Event()
        self._closed = False

    @property
    def sequence(self) -> int:
        """The number of the last change; 0 before the first one."""
        return self.position.sequence

    @property
    def position(self) -> Position:
        """Of who has seen all of it."""
        return self._changes[-1].position if self._changes else START

    def since(self, seen: Position) -> Sequence[StoredChange] | None:
        """What changed behind ``seen``: the newest change of each thing, in their order.

        ``None`` where that is forgotten, or where ``seen`` is none of these changes.
        """
        first = len(self._changes) - (self.sequence - seen.sequence)
        if not 0 <= first <= len(self._changes) or seen != self._position_before(first):
            return None
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

    async def changed(self, seen: Position) -> None:
        """Wait while ``seen`` is the last change. UnavailableError after ``close``."""
        while not self._closed and self.position == seen:
            await self._moved.wait()
        if self._closed:
            raise UnavailableError("the registry is closed")

    def close(self) -> None:
        """Send away who waits."""
        self._closed = True
        self._wake()

    def _position_before(self, index: int) -> Position | None:
        """Of the change before the one at ``index``, unless it is forgotten."""
        if index:
            return self._changes[index - 1].position
        return START if len(self._changes) == self.sequence else None

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


async def read_changes(connection: AsyncConnection, first: int) -> list[StoredChange]:
    """The stored changes from ``first`` on, in their order."""
    table = changes.c
    wanted = select(table.sequence, table.kind, table.id, table.written)
    from_first = wanted.where(table.sequence >= first).order_by(table.sequence)
    found = await connection.execute(from_first)
    return [StoredChange(*row) for row in found.all()]


async def write_changes(connection: AsyncConnection, found: Sequence[StoredChange]) -> None:
    """Store changes that follow the last one, and forget the oldest."""
    await connection.execute(insert(changes), [asdict(change) for change in found])
    oldest = found[-1].sequence - REMEMBERED
    if oldest > 0:
        await connection.execute(delete(changes).where(changes.c.sequence <= oldest))

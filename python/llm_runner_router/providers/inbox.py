"""Where the events of one request wait for its consumer."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """One consumer, any number of ``put``. Belongs to one event loop; bounded by its sender."""

    def __init__(self) -> None:
        self._items: list[T] = []
        self._error: Exception | None = None
        self._changed = asyncio.Event()

    def put(self, item: T) -> None:
        """Add an item."""
        self._items.append(item)
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """Nothing more comes: ``take`` raises ``error`` once all items are taken."""
        self._error = error
        self._changed.set()

    async def take(self) -> list[T]:
        """Everything that waits, at least one item."""
        while not self._items:
            if self._error is not None:
                raise self._error
            self._changed.clear()
            await self._changed.wait()
        items, self._items = self._items, []
        return items

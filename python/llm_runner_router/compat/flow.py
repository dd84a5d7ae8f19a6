"""A stream that one event loop makes and another thread or loop takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_WAITING = 64
"""Items that may wait for a slow taker; then the maker waits."""


class End(Enum):
    """What is taken after the last item."""

    END = auto()


END = End.END


class Flow(Generic[T]):
    """Takes what a generator yields, in a task of its own: its cleanup runs where it began.

    Made and used on one event loop. ``close`` it, also after its end.
    """

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self._items: asyncio.Queue[T | End] = asyncio.Queue()
        self._room = asyncio.Semaphore(MOST_WAITING)
        self._task = asyncio.create_task(self._fill(items))
        self._task.add_done_callback(seen)

    async def take(self) -> T | End:
        """The next item, or END; what the generator raised comes in its place."""
        item = await self._items.get()
        if isinstance(item, End):
            await self._task
            return END
        self._room.release()
        return item

    async def close(self) -> None:
        """End the generator, and wait until it has ended."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def cancel(self) -> None:
        """End the generator without waiting; from any thread, and also after the loop's end."""
        with suppress(RuntimeError):  # the loop is closed
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    async def _fill(self, items: AsyncGenerator[T, None]) -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    await self._room.acquire()
                    self._items.put_nowait(item)
        finally:
            self._items.put_nowait(END)


def seen(task: asyncio.Task[None]) -> None:
    """Look at the error of a task: who closes early does not want it."""
    if not task.cancelled():
        task.exception()

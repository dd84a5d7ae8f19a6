"""How many requests run on a model at once, and who waits for one of them to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class SlotLine:
    """The slots of one model that are taken, and those who wait, in the order of their arrival."""

    def __init__(self) -> None:
        self.taken = 0
        self.waiting: dict[asyncio.Future[None], None] = {}

    def admit(self, limit: int | None) -> None:
        """Let in as many as ``limit`` allows."""
        while self.waiting and (limit is None or self.taken < limit):
            turn = next(iter(self.waiting))
            del self.waiting[turn]
            if not turn.done():  # else it was cancelled just now
                self.taken += 1
                turn.set_result(None)


class Slots:
    """``limit`` gives how many slots a model has, ``None``: as many as are wanted.

    Belongs to one event loop.
    """

    def __init__(self, limit: Callable[[str], int | None]) -> None:
        self._limit = limit
        self._lines: dict[str, SlotLine] = {}
        self._closed = False

    def __len__(self) -> int:
        """The models that somebody has a slot of, or waits for one of."""
        return len(self._lines)

    @asynccontextmanager
    async def slot(self, model: str) -> AsyncIterator[None]:
        """A slot of ``model`` while the block runs; first come, first served."""
        await self._take(model)
        try:
            yield
        finally:
            self._give(model)

    def refresh(self) -> None:
        """Hold to what ``limit`` says now."""
        for model, line in self._lines.items():
            line.admit(self._most(model))

    def close(self) -> None:
        """Let in all who wait and who come: whatever they want the slot for fails by now."""
        self._closed = True
        self.refresh()

    async def _take(self, model: str) -> None:
        line = self._lines.setdefault(model, SlotLine())
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.waiting[turn] = None
        line.admit(self._most(model))
        if turn.done():
            return
        try:
            await turn
        except asyncio.CancelledError:
            line.waiting.pop(turn, None)
            if not turn.cancelled():  # it had come already
                line.taken -= 1
            self._pass_on(model)
            raise

    def _give(self, model: str) -> None:
        self._lines[model].taken -= 1
        self._pass_on(model)

    def _pass_on(self, model: str) -> None:
        line = self._lines.get(model)
        if line is None:
            return
        line.admit(self._most(model))
        if not line.taken and not line.waiting:
            del self._lines[model]

    def _most(self, model: str) -> int | None:
        return None if self._closed else self._limit(model)

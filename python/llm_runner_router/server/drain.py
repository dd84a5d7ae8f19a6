"""The end of a service: nothing new is taken, what runs may finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from llm_runner_router.errors import UnavailableError

Item = TypeVar("Item")


def draining_error() -> UnavailableError:
    """What a new request is answered with while the service ends."""
    return UnavailableError("the service is stopping and takes no new requests", reason="DRAINING")


def expired_error() -> UnavailableError:
    """What a running request is ended with when the time to finish is over."""
    return UnavailableError("the service stopped before the answer was whole", reason="DRAINING")


class Drain:
    """Knows what runs and whether anything new may begin. Belongs to one event loop."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.expired = False
        self._calls: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def check(self) -> None:
        """UnavailableError once the service ends."""
        if self.begun.is_set():
            raise draining_error()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the current task among what runs."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("outside a task")
        self._calls.add(task)
        self._idle.clear()
        try:
            yield
        finally:
            self._calls.discard(task)
            if not self._calls:
                self._idle.set()

    async def while_serving(self, items: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
        """``items``, which never end by themselves, until the service ends: UnavailableError."""
        ending = asyncio.ensure_future(self.begun.wait())
        try:
            while True:
                item = asyncio.ensure_future(anext(items))
                try:
                    await asyncio.wait({item, ending}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not item.done():
                        item.cancel()
                        await asyncio.wait({item})  # nobody may close what still runs
                self.check()
                yield await item
        finally:
            ending.cancel()

    async def finish(self, timeout_seconds: float) -> bool:
        """Take nothing new and wait for what runs; ``False`` where it had to be ended."""
        self.begun.set()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._idle.wait()
        except TimeoutError:
            self.expire()
            await self._idle.wait()
            return False
        return not self.expired

    def expire(self) -> None:
        """End what runs at once. Each call is answered with ``expired_error``."""
        self.begun.set()
        self.expired = True
        for call in tuple(self._calls):
            call.cancel()

"""Changes of other processes, brought into memory as they happen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.storage.location import Location

FIRST_DELAY = 0.1
MAX_DELAY = 5.0
"""Seconds between two attempts to listen again; each delay is twice the one before."""

logger = logging.getLogger(__name__)


class Listener:
    """Belongs to one event loop, and listens from the start until it is closed."""

    def __init__(self, location: Location, catch_up: Callable[[], Awaitable[None]]) -> None:
        self._location = location
        self._catch_up = catch_up
        self._told = asyncio.Event()
        self._delay = FIRST_DELAY
        self._lost = self._unread = False
        self._tasks = [asyncio.ensure_future(work()) for work in (self._listen, self._follow)]

    async def close(self) -> None:
        """Listen no longer. May be called more than once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._location.listen(self._tell)
            except self._location.failures as error:
                self._complain(error)
            await asyncio.sleep(self._delay)
            self._delay = min(2 * self._delay, MAX_DELAY)

    def _tell(self) -> None:
        self._told.set()
        self._delay = FIRST_DELAY
        if self._lost:
            self._lost = False
            logger.info("the registry's database is back")

    def _complain(self, error: Exception) -> None:
        if not self._lost:
            self._lost = True
            why = str(error) or type(error).__name__
            logger.warning("the registry's database is away, and may change unseen: %s", why)

    async def _follow(self) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            try:
                await self._catch_up()
                self._unread = False
            except UnavailableError as error:  # the listener asks again before long
                if not self._unread:
                    logger.warning("changes of the registry cannot be read: %s", error.message)
                self._unread = True

"""Work that is done again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from llm_runner_router.errors import UnavailableError

logger = logging.getLogger(__name__)


class Repeated:
    """Does ``work`` every so many seconds until it is closed. Belongs to one event loop.

    While the database is away it is tried again; the log says ``complaint`` the first time.
    """

    def __init__(self, work: Callable[[], Awaitable[None]], seconds: float, complaint: str) -> None:
        self._work = work
        self._complaint = complaint
        self._seconds = seconds
        self._failing = False
        self._task = asyncio.ensure_future(self._repeat())

    async def close(self) -> None:
        """Stop. What is being done may be broken off. May be called more than once."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self._work()
                self._failing = False
            except UnavailableError as error:
                if not self._failing:
                    logger.warning("%s: %s", self._complaint, error.message)
                self._failing = True

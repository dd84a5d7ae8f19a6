"""Answers in a Redis that several services may share. Imported where ``cache.url`` is set only."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from llm_runner_router.cache.answer import MAX_BYTES

logger = logging.getLogger(__name__)

PREFIX = "llm-runner-router:"

TIMEOUT = 0.25
"""Seconds that a request waits for Redis at most."""

ABSENCE = 10.0
"""Seconds for which a Redis that has failed is left alone, so that only one request waits."""

MAX_TTL = 10 * 365 * 86_400
"""Redis refuses times beyond its clock; nobody waits ten years."""

T = TypeVar("T")


class RedisStore:
    """A store that may come and go: while it is away nothing is found and nothing kept.

    Belongs to one event loop. ValueError where ``url`` is none that redis-py understands.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._away_until: float | None = None
        self._client: Redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    async def get(self, key: str) -> bytes | None:
        """What is kept; never more than the longest answer, whatever lies there."""
        value = await self._asked(lambda: self._client.getrange(PREFIX + key, 0, MAX_BYTES))
        return value if isinstance(value, bytes) and 0 < len(value) <= MAX_BYTES else None

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        """Keep ``value``."""
        seconds = min(ttl, MAX_TTL)
        await self._asked(lambda: self._client.set(PREFIX + key, value, ex=seconds))

    async def close(self) -> None:
        """Close the connections; what is kept stays."""
        await self._client.aclose()

    async def _asked(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """The answer of Redis, or ``None`` where it has none in time."""
        if self._away_until is not None and self._clock() < self._away_until:
            return None
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await question()
        except (RedisError, OSError, TimeoutError) as error:
            self._note_absence(error)
            return None
        if self._away_until is not None:
            logger.info("the Redis of cache.url answers again")
            self._away_until = None
        return answer

    def _note_absence(self, error: Exception) -> None:
        """One warning an absence. Not the error's text: it may quote the address."""
        if self._away_until is None:
            kind = type(error).__name__
            logger.warning("the Redis of cache.url does not answer (%s): nothing is cached", kind)
        self._away_until = self._clock() + ABSENCE

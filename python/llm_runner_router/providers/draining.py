"""What to do with a connection whose answer is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from llm_runner_router.errors import RouterError

DRAIN_SECONDS = 0.1


async def drained(read: Callable[[], Awaitable[object]]) -> None:
    """Read on until ``read`` gives ``None``, so that the connection can be used again.

    Nothing but the end should follow a whole answer. Where it does not come soon, or something else
    does, the connection is not worth waiting for.
    """
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while await read() is not None:
                pass
    except (TimeoutError, RouterError):
        return

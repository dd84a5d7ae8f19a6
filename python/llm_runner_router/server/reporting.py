"""Work that tells how far it has come, as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

Step = TypeVar("Step")


async def steps_of(
    work: Callable[[Callable[[Step], None]], Awaitable[None]],
) -> AsyncGenerator[Step, None]:
    """What ``work`` reports, as it comes; then its error, if it fails.

    Closing the iterator cancels the work.
    """
    steps: asyncio.Queue[Step | None] = asyncio.Queue()
    running = asyncio.ensure_future(work(steps.put_nowait))
    running.add_done_callback(lambda _: steps.put_nowait(None))
    try:
        while (step := await steps.get()) is not None:
            yield step
        await running
    finally:
        running.cancel()

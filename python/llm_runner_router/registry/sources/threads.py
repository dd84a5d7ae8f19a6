"""Work beside the event loop that is never left alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``function`` returns. A caller that is cancelled waits first until it has ended."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await ended(work)
        raise


class Unwanted(Exception):  # noqa: N818 - no error: nobody waits for the result any more
    """Raised inside work that was given up."""


async def in_stoppable_thread(function: Callable[[Callable[[], None]], T]) -> T:
    """What ``function`` returns. It calls what it is given now and then, between two steps.

    That raises once the caller was cancelled, who waits until the work has ended by it.
    """
    given_up = threading.Event()

    def check() -> None:
        if given_up.is_set():
            raise Unwanted

    work = asyncio.ensure_future(asyncio.to_thread(function, check))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        given_up.set()
        await ended(work)
        raise


async def ended(work: asyncio.Future[T]) -> None:
    """Wait for the end of something, whoever gives up meanwhile, and whatever it came to."""
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            continue
    if not work.cancelled():
        work.exception()

"""Servers on an event loop of their own, for tests that wait in their thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def in_background(make: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """What a context manager gives, entered and left on another thread's event loop."""
    ready: Future[T] = Future()
    leave = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(hold(make, ready, leave)))
    thread.start()
    try:
        yield ready.result(60)
    finally:
        leave.set()
        thread.join()


async def hold(
    make: Callable[[], AbstractAsyncContextManager[T]], ready: Future[T], leave: threading.Event
) -> None:
    try:
        async with make() as value:
            ready.set_result(value)
            await asyncio.to_thread(leave.wait)
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise

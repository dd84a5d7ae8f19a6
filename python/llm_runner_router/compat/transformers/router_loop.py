"""A router on an event loop of its own, for callers that have none."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from llm_runner_router.errors import UnavailableError
from llm_runner_router.router import LLMRouter

T = TypeVar("T")


class RouterLoop:
    """Runs what is done with ``router`` in a thread.

    ``close`` it, or let it go: it closes when nothing uses it any more. With the program it just
    ends. May be used from any thread but its own.
    """

    def __init__(self, router: LLMRouter) -> None:
        self._router = router
        self._loop = asyncio.new_event_loop()
        # Nothing in the thread keeps this object alive.
        thread = threading.Thread(
            target=self._loop.run_forever, name="llm-router-pipeline", daemon=True
        )
        thread.start()
        self._end = weakref.finalize(self, end, self._loop, thread, router)
        # By then no thread can be begun any more, and closing a router takes some.
        self._end.atexit = False

    def run(self, work: Callable[[LLMRouter], Coroutine[Any, Any, T]]) -> T:
        """What ``work`` gives; waits in the calling thread, and ends the work if interrupted."""
        if not self._end.alive:
            raise UnavailableError("the pipeline is closed")
        future = asyncio.run_coroutine_threadsafe(work(self._router), self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def close(self) -> None:
        """Close the router and end the thread. May be called more than once."""
        self._end()


def end(loop: asyncio.AbstractEventLoop, thread: threading.Thread, router: LLMRouter) -> None:
    """Close ``router``, then stop the loop, whatever came of that, and wait for its thread."""
    ended = asyncio.run_coroutine_threadsafe(router.close(), loop)
    ended.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))
    if thread is threading.current_thread():  # a collection may run anywhere, there too
        return
    thread.join()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    ended.result()

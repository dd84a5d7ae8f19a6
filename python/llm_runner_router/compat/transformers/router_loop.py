"""A router on an event loop of its own, for callers that have none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from llm_runner_router.errors import UnavailableError
from llm_runner_router.router import LLMRouter

T = TypeVar("T")


class RouterLoop:
    """Runs what is done with ``router`` in a thread. ``close`` it, or let the program end.

    May be used from any thread but its own.
    """

    def __init__(self, router: LLMRouter) -> None:
        self._router = router
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="llm-router-pipeline", daemon=True
        )
        self._thread.start()
        self._closed = False

    def run(self, work: Callable[[LLMRouter], Coroutine[Any, Any, T]]) -> T:
        """What ``work`` gives; waits in the calling thread, and ends the work if interrupted."""
        if self._closed:
            raise UnavailableError("the pipeline is closed")
        future = asyncio.run_coroutine_threadsafe(work(self._router), self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def close(self) -> None:
        """Close the router and end the thread. May be called more than once."""
        if self._closed:
            return
        self.run(lambda router: router.close())
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

"""A router for callers of any thread and any event loop."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Self, TypeVar

from llm_runner_router.compat.flow import End, Flow
from llm_runner_router.compat.router_identity import identity_of
from llm_runner_router.compat.taken import Taken
from llm_runner_router.config.tree import Config
from llm_runner_router.errors import UnavailableError, UnsupportedError
from llm_runner_router.router import LLMRouter

T = TypeVar("T")

Work = Callable[[LLMRouter], Coroutine[Any, Any, T]]
Stream = Callable[[LLMRouter], AsyncGenerator[T, None]]

CLOSED = "the router is closed"
FORKED = (
    "the router runs in the process that this one was forked from: make the model, or its "
    "RouterThread, in the process that uses it"
)
THREAD = "llm-router"


class RouterThread:
    """An LLMRouter on an event loop in a thread of its own, which begins with the first use.

    Takes what LLMRouter takes. May be used from all threads but its own. ``close`` it, or let it
    go: it closes when nothing uses it any more. With the program it just ends. ``identity`` is
    equal for routers that answer from the same models. In a process that was forked from the one
    where it runs, it is UnsupportedError.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | Config | None = None,
        *,
        config_file: str | os.PathLike[str] | None = None,
        target: str | None = None,
        caller: str = "anonymous",
    ) -> None:
        self._router = LLMRouter(config, config_file=config_file, target=target, caller=caller)
        self.target = target
        self.identity = identity_of(target, self._router.config)
        self._begin = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: int | None = None
        self._ending: weakref.finalize[..., RouterThread] | None = None
        self._closed = False

    def run(self, work: Work[T]) -> T:
        """What ``work`` gives; waits in the calling thread."""
        future = self._submit(work)
        try:
            return future.result()
        except CancelledError:
            raise UnavailableError(CLOSED) from None
        finally:
            future.cancel()  # the caller was interrupted

    async def run_async(self, work: Work[T]) -> T:
        """What ``work`` gives; waits in the calling event loop. Cancelled, it cancels the work."""
        future = self._submit(work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise UnavailableError(CLOSED) from None

    def iterate(self, stream: Stream[T]) -> Generator[T, None, None]:
        """What ``stream`` yields; closing the iterator ends it."""
        flow = self.run(lambda router: flowing(stream(router)))
        try:
            while not isinstance(item := self.run(lambda _: flow.take()), End):
                yield item
        finally:
            with suppress(UnavailableError, UnsupportedError):
                self.run(lambda _: flow.close())

    def iterate_async(self, stream: Stream[T]) -> Taken[T]:
        """What ``stream`` yields; closing the iterator ends it."""
        return Taken(self.run_async, stream)

    def close(self) -> None:
        """Cancel what runs and end the thread, then raise what went wrong with closing the router.

        May be called more than once. In a forked process it does nothing.
        """
        if self._is_forked():
            return
        with self._begin:
            self._closed = True
            ending = self._ending
        ended = None if ending is None else ending()
        if ended is not None:
            ended.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _is_forked(self) -> bool:
        """Whether the thread is another process's: of a fork's parent the child has no threads."""
        return self._process not in (None, os.getpid())

    def _submit(self, work: Work[T]) -> Future[T]:
        if self._is_forked():  # the lock may be held there for ever
            raise UnsupportedError(FORKED)
        with self._begin:
            if self._loop is None and not self._closed:
                self._loop = self._started()
            # While the program ends, no other thread runs any more to do anything.
            if self._closed or self._loop is None or sys.is_finalizing():
                raise UnavailableError(CLOSED)
            return asyncio.run_coroutine_threadsafe(work(self._router), self._loop)

    def _started(self) -> asyncio.AbstractEventLoop:
        """The loop, running. Nothing in its thread keeps this object alive."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=run_loop, args=(loop,), name=THREAD, daemon=True)
        thread.start()
        self._process = os.getpid()
        self._ending = weakref.finalize(self, end, loop, thread, self._router, self._process)
        # By then no thread can be begun any more, and closing a router takes some.
        self._ending.atexit = False
        return loop


async def flowing(items: AsyncGenerator[T, None]) -> Flow[T]:
    """A flow on the present event loop."""
    return Flow(items)


def run_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Run until stopped, and leave nothing behind."""
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def end(
    loop: asyncio.AbstractEventLoop, thread: threading.Thread, router: LLMRouter, process: int
) -> Future[None] | None:
    """Close the router, cancel what is left, stop the loop, and wait for its thread.

    What came of closing, unless it is the thread itself that asks, or a fork of its ``process``.
    """
    if process != os.getpid():
        return None
    ended = asyncio.run_coroutine_threadsafe(shut_down(router), loop)
    ended.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))
    if thread is threading.current_thread():  # a collection may run anywhere, there too
        return None
    thread.join()
    return ended


async def shut_down(router: LLMRouter) -> None:
    """Close ``router``, and end whoever still waits on this loop."""
    try:
        await router.close()
    finally:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

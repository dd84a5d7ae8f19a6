"""A stream of another thread's event loop, as the loop of its taker sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, Protocol, Self, TypeVar

from llm_runner_router.compat.flow import End, Flow
from llm_runner_router.errors import UnavailableError, UnsupportedError
from llm_runner_router.router import LLMRouter

T = TypeVar("T")
R = TypeVar("R")


class Runs(Protocol):
    """What does work on the loop of the stream."""

    async def __call__(self, work: Callable[[LLMRouter], Coroutine[Any, Any, R]], /) -> R:
        """What ``work`` gives."""
        ...


class Taken(AsyncIterator[T], Generic[T]):
    """What ``stream`` yields. ``aclose`` it; without that the stream ends with this object.

    No asynchronous generator: the end of an event loop closes all of those at once, and one would
    be closed there while the one that takes from it closes it too.
    """

    def __init__(self, run: Runs, stream: Callable[[LLMRouter], AsyncGenerator[T, None]]) -> None:
        self._run = run
        self._stream = stream
        self._flow: Flow[T] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._flow is None:
            self._flow = await self._run(self._begin)
        flow = self._flow
        item = await self._run(lambda _: flow.take())
        if isinstance(item, End):
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """End the stream, and wait until it has ended. May be called more than once."""
        flow = self._flow
        if flow is not None:
            flow.cancel()  # also where the wait is cancelled before it begins
            with suppress(UnavailableError, UnsupportedError):
                await self._run(lambda _: flow.close())

    def __del__(self) -> None:
        if self._flow is not None:
            self._flow.cancel()

    async def _begin(self, router: LLMRouter) -> Flow[T]:
        return Flow(self._stream(router))

"""Equal requests at the same time, computed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llm_runner_router.errors import RouterError, UnavailableError
from llm_runner_router.types import Event

Compute = Callable[[float | None], AsyncGenerator[Event, None]]
"""Begins a computation that ends by a deadline, a time of ``time.monotonic()``."""

DISAPPOINTMENTS = 2
"""How many computations of others may fail before a request relies on itself alone."""

EXTENSION = 5.0
"""Seconds that shared work may take beyond the deadline of who began it, for who joins later."""

AHEAD = 4
"""Events that a computation may be ahead of the fastest of those who watch it."""


class Flight:
    """One computation, run by a task of its own, and what it has yielded so far.

    It goes as fast as the fastest watcher takes its events: who reads slowly pauses it, unless
    somebody else does not.
    """

    def __init__(self, compute: Compute, deadline: float | None) -> None:
        self.deadline = deadline
        self._events: list[Event] = []
        self._news = asyncio.Event()
        self._taken = 0
        self._room = asyncio.Event()
        self._followers = 0
        self._task = asyncio.ensure_future(self._run(compute))
        self._task.add_done_callback(self._end)

    async def watch(self) -> AsyncGenerator[Event, None]:
        """Every event from the first on, then the end or the error of the computation.

        When the last watcher leaves, the work is cancelled; it is over when this generator is.
        """
        self._followers += 1
        try:
            seen = 0
            while True:
                while seen < len(self._events):
                    seen += 1
                    self._take(seen)
                    yield self._events[seen - 1]
                if self._task.done():
                    break
                await self._news.wait()
            self._raise_failure()
        finally:
            self._followers -= 1
            if not self._followers:
                await self.cancel()

    @property
    def abandoned(self) -> bool:
        """Whether it has ended, or is to end because nobody watches."""
        return self._task.done() or self._task.cancelling() > 0

    def lasts_until(self, deadline: float | None) -> bool:
        """Whether it may still run then, so that who has time until then loses none of it."""
        return self.deadline is None or (deadline is not None and deadline <= self.deadline)

    def when_done(self, action: Callable[[Flight], None]) -> None:
        """Call ``action`` once the computation is over."""
        self._task.add_done_callback(lambda _: action(self))

    async def cancel(self) -> None:
        """End the work, and wait until it has ended."""
        self._task.cancel()
        if not self._task.done():
            await asyncio.wait([self._task])

    async def _run(self, compute: Compute) -> None:
        async with aclosing(compute(self.deadline)) as events:
            async for event in events:
                self._events.append(event)
                self._notify()
                await self._wanted()

    async def _wanted(self) -> None:
        """Wait until the events that are there are nearly used up."""
        while len(self._events) - self._taken >= AHEAD:
            self._room.clear()
            await self._room.wait()

    def _take(self, seen: int) -> None:
        """A watcher has taken that many events."""
        if seen > self._taken:
            self._taken = seen
            self._room.set()

    def _raise_failure(self) -> None:
        if self._task.cancelled():
            raise UnavailableError("the computation has been cancelled")
        error = self._task.exception()
        if isinstance(error, RouterError):
            # Each watcher notes its own attempts on it, and has a trace of its own.
            raise twin(error).with_traceback(error.__traceback__) from error.__cause__
        if error is not None:
            raise error

    def _end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # noted, so that asyncio does not miss a watcher of it
        self._notify()

    def _notify(self) -> None:
        """Wake all watchers. Each waits for the next event object, so none is woken twice."""
        self._news.set()
        self._news = asyncio.Event()


class Flights:
    """The computations that are under way. Belongs to one event loop."""

    def __init__(self) -> None:
        self._running: set[Flight] = set()
        self._joinable: dict[str, Flight] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._running)

    async def join(
        self, key: str, compute: Compute, deadline: float | None
    ) -> AsyncGenerator[tuple[Event, bool], None]:
        """The events of ``compute`` or of an equal one, each with whether it is its own.

        One that ends before ``deadline`` is not joined. The failure of another's computation
        reaches who has seen an event of it; who has seen none starts over, so nobody inherits
        another's failure or time limit. Shared work may go on beyond ``deadline``: whoever asks
        leaves by then.
        """
        for _ in range(DISAPPOINTMENTS):
            flight = self._joinable.get(key)
            if flight is None or flight.abandoned or not flight.lasts_until(deadline):
                break
            seen = False
            try:
                async with aclosing(flight.watch()) as events:
                    async for event in events:
                        seen = True
                        yield event, False
            except Exception:
                if seen:
                    raise
                continue
            return
        async with aclosing(self._lead(key, compute, deadline).watch()) as events:
            async for event in events:
                yield event, True

    async def close(self) -> None:
        """Cancel what is under way, and compute nothing more: UnavailableError."""
        self._closed = True
        for flight in list(self._running):
            await flight.cancel()

    def _lead(self, key: str, compute: Compute, deadline: float | None) -> Flight:
        """A computation of one's own; others join it unless there is one that lasts as long."""
        if self._closed:
            raise UnavailableError("the cache is closed")
        flight = Flight(compute, None if deadline is None else deadline + EXTENSION)
        self._running.add(flight)
        present = self._joinable.get(key)
        if present is None or present.abandoned or not present.lasts_until(flight.deadline):
            self._joinable[key] = flight
        flight.when_done(lambda done: self._forget(key, done))
        return flight

    def _forget(self, key: str, flight: Flight) -> None:
        self._running.discard(flight)
        if self._joinable.get(key) is flight:
            del self._joinable[key]


def twin(error: RouterError) -> RouterError:
    """An error like ``error``, that may be changed apart from it."""
    made = type(error).__new__(type(error), *error.args)  # not __init__, which takes other values
    made.__dict__.update(error.__dict__)
    return made

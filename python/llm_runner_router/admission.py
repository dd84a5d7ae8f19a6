"""How many requests run at once, and who of the waiting is next."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import fmean

from llm_runner_router.errors import OverloadedError, TimeLimitError, UnavailableError

PATIENCE = 30.0
"""Seconds after which a waiting request counts as due, so that far deadlines do not starve."""

RECENT = 64
"""How many durations the hint to overloaded callers rests on."""

Place = tuple[float, int, "asyncio.Future[None]"]


class Admission:
    """Permits, and a bounded queue in the order of deadlines (of arrival where they are far).

    Belongs to one event loop. A permit lives as long as its block: a stream holds it to its end.
    """

    def __init__(
        self,
        max_concurrent: int,
        max_queue: int,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_concurrent = max_concurrent
        self._max_queue = max_queue
        self._clock = clock
        self._running = 0
        self._queue: list[Place] = []
        self._order = itertools.count()
        self._durations: deque[float] = deque(maxlen=RECENT)
        self._closed = False

    @property
    def running(self) -> int:
        """Permits that are out."""
        return self._running

    @property
    def queued(self) -> int:
        """Requests that wait."""
        return len(self._queue)

    def resize(self, max_concurrent: int, max_queue: int) -> None:
        """Change the limits; those who run or wait already stay."""
        self._max_concurrent = max_concurrent
        self._max_queue = max_queue
        self._admit()

    @asynccontextmanager
    async def permit(self, deadline: float | None) -> AsyncIterator[float]:
        """Hold a permit; the value is the seconds that were spent waiting for it.

        OverloadedError where the queue is full, TimeLimitError where ``deadline`` passes in it.
        """
        arrival = self._clock()
        await self._take(arrival, deadline)
        begun = self._clock()
        try:
            yield begun - arrival
        finally:
            self._durations.append(self._clock() - begun)
            self._give_back()

    def close(self) -> None:
        """Send away those who wait, and whoever comes: UnavailableError."""
        self._closed = True
        for _, _, turn in self._queue:
            if not turn.done():
                turn.set_exception(closed())
        self._queue.clear()

    async def _take(self, arrival: float, deadline: float | None) -> None:
        if self._closed:
            raise closed()
        if deadline is not None and deadline <= arrival:
            raise TimeLimitError("the deadline had passed on arrival")
        if self._running < self._max_concurrent and not self._queue:
            self._running += 1
            return
        if len(self._queue) >= self._max_queue:
            waiting = f"{self._running} requests run and {len(self._queue)} wait"
            raise OverloadedError(f"the queue is full: {waiting}", retry_after=self.retry_after())
        await self._wait(arrival, deadline)

    async def _wait(self, arrival: float, deadline: float | None) -> None:
        """Stand in the queue until ``_admit`` hands over a permit."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = min(math.inf if deadline is None else deadline, arrival + PATIENCE)
        place = (due, next(self._order), turn)
        heapq.heappush(self._queue, place)
        left = None if deadline is None else deadline - arrival
        try:
            async with asyncio.timeout(left):
                await turn
        except BaseException as error:
            self._abandon(place)
            if isinstance(error, TimeoutError):
                message = "the deadline passed while the request waited for its turn"
                raise TimeLimitError(message) from None
            raise

    def _abandon(self, place: Place) -> None:
        """Leave the queue, or pass on a permit that came at the same moment."""
        turn = place[2]
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._give_back()
        elif place in self._queue:
            self._queue.remove(place)
            heapq.heapify(self._queue)

    def _give_back(self) -> None:
        self._running -= 1
        self._admit()

    def _admit(self) -> None:
        """Hand permits to those who are next."""
        while self._queue and self._running < self._max_concurrent:
            turn = heapq.heappop(self._queue)[2]
            if not turn.done():  # done: its task was cancelled and has not run since
                self._running += 1
                turn.set_result(None)

    def retry_after(self) -> float:
        """Seconds after which a place should be free, judged by recent requests."""
        usual = fmean(self._durations) if self._durations else 1.0
        waves = (len(self._queue) + 1) / self._max_concurrent
        return min(max(usual * waves, 0.1), 60.0)


def closed() -> UnavailableError:
    """The error of a router that has ended."""
    return UnavailableError("the router is closed")

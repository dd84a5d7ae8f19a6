"""How many requests run at once, and who of the waiting is next."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import fmean

from llm_runner_router.admission.permit import Permit
from llm_runner_router.admission.place import Charge, Place
from llm_runner_router.admission.quotas import Quotas
from llm_runner_router.admission.ticket import Ticket
from llm_runner_router.admission.waiting import Waiting
from llm_runner_router.config.routing import LimitsConfig
from llm_runner_router.errors import OverloadedError, TimeLimitError, UnavailableError

RECENT = 64
"""How many durations the hint to overloaded callers rests on."""

UNLIMITED = LimitsConfig()


class Admission:
    """Permits, and a bounded queue: by priority, then fairly between callers, then by deadline.

    Belongs to one event loop. A permit lives as long as its block: a stream holds it to its end.
    ``limits`` tells what callers may do at the moment.
    """

    def __init__(
        self,
        max_concurrent: int,
        max_queue: int,
        *,
        limits: Callable[[], LimitsConfig] = lambda: UNLIMITED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_concurrent = max_concurrent
        self._max_queue = max_queue
        self._quotas = Quotas(limits)
        self._clock = clock
        self._running = 0
        self._waiting = Waiting()
        self._durations: deque[float] = deque(maxlen=RECENT)
        self._closed = False

    @property
    def running(self) -> int:
        """Permits that are out."""
        return self._running

    @property
    def queued(self) -> int:
        """Requests that wait."""
        return len(self._waiting)

    def resize(self, max_concurrent: int, max_queue: int) -> None:
        """Change the limits; those who run or wait already stay."""
        self._max_concurrent = max_concurrent
        self._max_queue = max_queue
        self._admit()

    @asynccontextmanager
    async def permit(self, ticket: Ticket) -> AsyncIterator[Permit]:
        """Hold a permit.

        OverloadedError where the queue is full (a caller that fills it gives way to others, also
        after it has begun to wait), RateLimitError where the caller has reached a
        limit, TimeLimitError where the deadline passes in the queue.
        """
        arrival = self._clock()
        self._refuse(ticket, arrival)
        account = self._quotas.enter(ticket, arrival)
        try:
            charge = await self._take(ticket, arrival)
            begun = self._clock()
            share = self._quotas.of(ticket.caller).share
            try:
                yield Permit(
                    ticket, begun - arrival, charge, share, account, self._clock, ticket.tokens
                )
            finally:
                self._durations.append(self._clock() - begun)
                self._give_back()
        finally:
            if account is not None:
                self._quotas.leave(account)

    def close(self) -> None:
        """Send away those who wait, and whoever comes: UnavailableError."""
        self._closed = True
        for place in self._waiting:
            if not place.turn.done():
                place.turn.set_exception(closed())
        self._waiting.clear()

    def retry_after(self) -> float:
        """Seconds after which a place should be free, judged by recent requests."""
        usual = fmean(self._durations) if self._durations else 1.0
        waves = (len(self._waiting) + 1) / self._max_concurrent
        return min(max(usual * waves, 0.1), 60.0)

    def _refuse(self, ticket: Ticket, arrival: float) -> None:
        """The errors of a request that cannot even wait."""
        if self._closed:
            raise closed()
        if ticket.deadline is not None and ticket.deadline <= arrival:
            raise TimeLimitError("the deadline had passed on arrival")
        if not self._at_once() and len(self._waiting) >= self._max_queue:
            self._make_room(ticket)

    def _make_room(self, ticket: Ticket) -> None:
        """Send away one of the caller that fills the queue; the newcomer where nobody does."""
        waiting = f"{self._running} requests run and {len(self._waiting)} wait"
        error = OverloadedError(f"the queue is full: {waiting}", retry_after=self.retry_after())
        place = self._waiting.crowding(ticket)
        if place is None:
            raise error
        self._waiting.discard(place)
        place.turn.set_exception(error)

    def _at_once(self) -> bool:
        """Whether whoever comes now need not wait."""
        return self._running < self._max_concurrent and not self._waiting

    async def _take(self, ticket: Ticket, arrival: float) -> Charge:
        """A permit out of the number that there are."""
        if not self._at_once():
            return await self._wait(ticket, arrival)
        line = self._waiting.line_of(ticket.priority)
        line.pass_by(ticket.caller)
        self._hand_over(ticket, line.charge)
        return line.charge

    async def _wait(self, ticket: Ticket, arrival: float) -> Charge:
        """Stand in the queue until ``_admit`` hands over a permit."""
        place = Place(ticket, arrival, asyncio.get_running_loop().create_future())
        self._waiting.add(place)
        left = None if ticket.deadline is None else ticket.deadline - arrival
        try:
            async with asyncio.timeout(left):
                return await place.turn
        except BaseException as error:
            self._abandon(place)
            if isinstance(error, TimeoutError):
                message = "the deadline passed while the request waited for its turn"
                raise TimeLimitError(message) from None
            raise

    def _abandon(self, place: Place) -> None:
        """Leave the queue, or pass on a permit that came at the same moment."""
        turn = place.turn
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._give_back()
        else:
            self._waiting.discard(place)

    def _give_back(self) -> None:
        self._running -= 1
        self._admit()

    def _admit(self) -> None:
        """Hand permits to those who are next."""
        while self._waiting and self._running < self._max_concurrent:
            place, line = self._waiting.pop(self._clock())
            if not place.turn.done():  # done: its task was cancelled and has not run since
                self._hand_over(place.ticket, line.charge)
                place.turn.set_result(line.charge)

    def _hand_over(self, ticket: Ticket, charge: Charge) -> None:
        """One more runs; its caller has had the tokens of its prompt."""
        self._running += 1
        charge(ticket.caller, ticket.tokens / self._quotas.of(ticket.caller).share)


def closed() -> UnavailableError:
    """The error of a router that has ended."""
    return UnavailableError("the router is closed")

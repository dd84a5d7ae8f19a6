"""Limits of time: deadlines of a caller, and how long something may go without getting on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from llm_runner_router.errors import TimeLimitError

T = TypeVar("T")
Clock = Callable[[], float]

TIMER_SLACK = 0.005
"""Seconds that timers, here or at a peer, may fire before the deadline that they stand for."""

GRACE = 0.05
"""Seconds past a deadline after which whoever waits for another's work is sent away."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something may take: milliseconds, and the setting that says so."""

    timeout_ms: float
    setting: str = "performance.timeout"


@asynccontextmanager
async def entered_by(
    deadline: float | None,
    lease: AbstractAsyncContextManager[T],
    clock: Clock = time.monotonic,
    patience: Patience | None = None,
) -> AsyncIterator[T]:
    """``lease``, entered before ``deadline`` and within ``patience``; it may be held beyond."""
    left = seconds_left(deadline, clock)
    longest = None if patience is None else patience.timeout_ms / 1000.0
    shortest = min((limit for limit in (left, longest) if limit is not None), default=None)
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(shortest):
                held = await stack.enter_async_context(lease)
        except TimeoutError:
            if patience is None or shortest == left:
                raise deadline_exceeded("while the model was loaded") from None
            message = f"the model was not ready for {patience.timeout_ms:.0f} ms"
            raise TimeLimitError(f"{message} ({patience.setting})") from None
        yield held


@asynccontextmanager
async def time_limit(
    patience: Patience,
    deadline: float | None,
    missing: str,
    clock: Clock = time.monotonic,
    begun: float | None = None,
) -> AsyncIterator[None]:
    """The shorter of ``patience`` and what the deadline leaves; TimeLimitError past it.

    ``missing`` says what did not come. ``patience`` counts from ``begun`` on, else from now.
    """
    spent = 0.0 if begun is None else clock() - begun
    longest, left = patience.timeout_ms / 1000.0 - spent, seconds_left(deadline, clock)
    try:
        async with asyncio.timeout(longest if left is None else min(longest, left)):
            yield
    except TimeoutError:
        if left is not None and left <= longest:
            raise deadline_exceeded("before the answer was complete") from None
        message = f"{missing} for {patience.timeout_ms:.0f} ms ({patience.setting})"
        raise TimeLimitError(message) from None


def within(deadline: float | None, events: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """``events``, ended by TimeLimitError soon after ``deadline``, also where they do not know it.

    What they run on ends by the deadline itself; GRACE lets it say so.
    """
    return events if deadline is None else bounded(deadline + GRACE, events)


async def bounded(deadline: float, events: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """``events`` until ``deadline``; closed in any case."""
    async with aclosing(events):
        while True:
            try:
                async with asyncio.timeout(seconds_left(deadline)):
                    event = await anext(events, None)
            except TimeoutError:
                raise deadline_exceeded("before the answer was complete") from None
            if event is None:
                return
            yield event


def seconds_left(deadline: float | None, clock: Clock = time.monotonic) -> float | None:
    """Seconds until ``deadline``."""
    return None if deadline is None else deadline - clock()


def is_over(deadline: float | None, clock: Clock = time.monotonic) -> bool:
    """Whether ``deadline`` has passed, as exactly as timers are."""
    left = seconds_left(deadline, clock)
    return left is not None and left <= TIMER_SLACK


def deadline_exceeded(when: str) -> TimeLimitError:
    """The error of a deadline that has passed."""
    return TimeLimitError(f"the deadline passed {when}")

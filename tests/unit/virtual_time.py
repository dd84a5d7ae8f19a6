"""Tests whose time passes at once: an event loop that jumps to the next timer when all wait."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

LAST = 1e6
"""Seconds that a test may take."""


class Hourglass(selectors.SelectSelector):
    """Never waits; the seconds that it should have waited are added to ``now``."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nothing will ever happen"
            self.now += max(timeout, 0.0)
            assert self.now <= LAST, "beyond, asyncio's resolution of times is too fine"
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time is that of the hourglass; for work that needs no threads, files or sockets."""

    def __init__(self) -> None:
        self._hourglass = Hourglass()
        super().__init__(self._hourglass)

    def time(self) -> float:
        return self._hourglass.now

    def timers(self) -> list[asyncio.TimerHandle]:
        """What is still to come."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        return [timer for timer in scheduled if not timer.cancelled()]


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """``test`` as a function that runs it from its beginning to its end without waiting."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*arguments, **named))

    return run


def now() -> float:
    """Seconds since the test began."""
    return asyncio.get_running_loop().time()


def leftovers() -> tuple[list[asyncio.TimerHandle], list[str]]:
    """The timers that are still to fire, and the names of tasks other than the present one."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    return loop.timers(), sorted(repr(task) for task in tasks)

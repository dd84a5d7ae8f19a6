"""When models that nobody uses are sent away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llm_runner_router.registry.memory.resident import Resident


class IdleClock:
    """A timer for each resident without users.

    ``timeout`` gives the seconds that a model may be without users, 0: for ever; ``expire`` is
    called when they have passed. Belongs to one event loop.
    """

    def __init__(self, timeout: Callable[[str], float], expire: Callable[[Resident], None]) -> None:
        self._timeout = timeout
        self._expire = expire
        self._timers: dict[Resident, asyncio.TimerHandle | None] = {}

    def start(self, resident: Resident) -> None:
        """Count from when ``resident`` was last used."""
        self.stop(resident)
        timeout = self._timeout(resident.model)
        timer = None
        if timeout > 0:
            due = resident.used_at + timeout
            timer = asyncio.get_running_loop().call_at(due, self._check, resident, timeout)
        self._timers[resident] = timer

    def stop(self, resident: Resident) -> None:
        """It is used, or leaves."""
        timer = self._timers.pop(resident, None)
        if timer is not None:
            timer.cancel()

    def refresh(self) -> None:
        """Hold to what ``timeout`` says now."""
        for resident in tuple(self._timers):
            self.start(resident)

    def _check(self, resident: Resident, waited: float) -> None:
        """Let it go, unless it may stay longer by now."""
        if 0 < self._timeout(resident.model) <= waited:
            self.stop(resident)
            self._expire(resident)
        else:
            self.start(resident)

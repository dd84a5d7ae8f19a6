"""How fast bytes come."""

from __future__ import annotations

import math
from collections.abc import Callable

SMOOTHING = 5.0
"""Seconds: what came longer ago than that hardly counts."""


class Rate:
    """Bytes a second, smoothed; ``clock`` tells seconds that never go back.

    ``done`` is what was there before, which counts as nothing.
    """

    def __init__(self, clock: Callable[[], float], done: int = 0) -> None:
        self._clock = clock
        self._done = done
        self._time = clock()
        self._sum = 0.0
        self._weight = 0.0

    def add(self, done: int) -> None:
        """``done`` bytes are there by now. Fewer than before: all begins anew."""
        now = self._clock()
        seconds, came = now - self._time, done - self._done
        if came < 0:
            self._sum = self._weight = 0.0
        elif seconds <= 0.0:
            return
        else:
            kept = math.exp(-seconds / SMOOTHING)
            self._sum = self._sum * kept + came / seconds * (1.0 - kept)
            self._weight = self._weight * kept + (1.0 - kept)
        self._done, self._time = done, now

    @property
    def bytes_per_second(self) -> float:
        """0 while nothing is known."""
        return self._sum / self._weight if self._weight > 0.0 else 0.0

    def remaining(self, total: int) -> float | None:
        """Seconds until ``total`` bytes are there; ``None`` while nobody knows."""
        speed = self.bytes_per_second
        if total <= 0 or speed <= 0.0:
            return None
        return max(total - self._done, 0) / speed

"""When a download that broke off is tried again."""

from __future__ import annotations

ATTEMPTS = 6
"""In a row, without a byte more than ever before."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
LONGEST_WISH = 300.0
"""Seconds: who asks for more patience is not waited for."""


class Retries:
    """Counts attempts that brought nothing. Pure: it neither waits nor looks at a clock."""

    def __init__(self, done: int = 0) -> None:
        self._most = done
        self._fruitless = 0

    def pause(self, done: int, wish: float | None) -> float | None:
        """Seconds to wait before the next attempt; ``None``: give up.

        ``done`` bytes are there by now, ``wish`` is what the server asks for.
        """
        if done > self._most:
            self._most, self._fruitless = done, 0
        self._fruitless += 1
        if self._fruitless >= ATTEMPTS or (wish is not None and wish > LONGEST_WISH):
            return None
        usual = min(FIRST_PAUSE * 2.0 ** (self._fruitless - 1), LONGEST_PAUSE)
        return max(usual, wish or 0.0)

"""How much there was in the last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MINUTE = 60.0

SLOT = 1.0
"""Seconds that are counted together, so that a window takes little memory whatever it counts."""


@dataclass(slots=True)
class Slot:
    """What was booked from ``begun`` to ``latest``."""

    begun: float
    latest: float
    amount: int


class Window:
    """A sum over a minute that moves. It forgets up to a second late, never early."""

    def __init__(self) -> None:
        self._slots: deque[Slot] = deque()
        self._sum = 0

    def used(self, now: float) -> int:
        """The sum at ``now``, which must not go back."""
        while self._slots and self._slots[0].latest + MINUTE <= now:
            self._sum -= self._slots.popleft().amount
        return self._sum

    def book(self, now: float, amount: int) -> None:
        """Add ``amount``."""
        self._sum += amount
        if self._slots and now < self._slots[-1].begun + SLOT:
            self._slots[-1].latest = now
            self._slots[-1].amount += amount
        else:
            self._slots.append(Slot(now, now, amount))

    def wait(self, now: float, most: int) -> float:
        """Seconds until the sum is at most ``most``, if nothing is added; a minute where never."""
        left, wait = self.used(now), 0.0
        for slot in self._slots:
            if left <= most:
                return wait
            left -= slot.amount
            wait = slot.latest + MINUTE - now
        return wait if left <= most else MINUTE

"""Whose turn it is where models take turns."""

from __future__ import annotations

from collections import OrderedDict

CAPACITY = 1024
"""Sets of candidates whose turns are remembered; requests make the sets."""

Key = tuple[object, ...]


class Turns:
    """A count for each set of candidates; the least recently counted is forgotten first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._turns: OrderedDict[Key, int] = OrderedDict()

    def next(self, key: Key) -> int:
        """The turn that ``take`` would give."""
        return self._turns.get(key, 0)

    def take(self, key: Key) -> int:
        """How many turns were taken before."""
        turn = self._turns.get(key, 0)
        self._turns[key] = turn + 1
        self._turns.move_to_end(key)
        if len(self._turns) > self._capacity:
            self._turns.popitem(last=False)
        return turn

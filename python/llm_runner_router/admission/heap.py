"""A priority queue whose items may change their key and leave early."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

SLACK = 32
"""Outdated entries that are not worth tidying up."""


class Heap(Generic[T]):
    """The item with the least key first; among equal keys the one that was pushed first.

    A step takes O(log n), tidying up included, and memory grows with the items that are in it
    alone.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, T]] = []
        self._valid: dict[T, int] = {}
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._valid)

    def __contains__(self, item: T) -> bool:
        return item in self._valid

    def push(self, item: T, key: float) -> None:
        """Add ``item``; one that is there already gets the new key and stands behind its equals."""
        order = next(self._order)
        self._valid[item] = order
        heapq.heappush(self._entries, (key, order, item))
        self._tidy()

    def discard(self, item: T) -> None:
        """Take ``item`` out, where it is there."""
        if self._valid.pop(item, None) is not None:
            self._tidy()

    def first(self) -> T:
        """The next item. The heap must not be empty."""
        while not self._is_valid(self._entries[0]):
            heapq.heappop(self._entries)
        return self._entries[0][2]

    def pop(self) -> T:
        """Take the next item out. The heap must not be empty."""
        item = self.first()
        heapq.heappop(self._entries)
        del self._valid[item]
        return item

    def _is_valid(self, entry: tuple[float, int, T]) -> bool:
        return self._valid.get(entry[2]) == entry[1]

    def _tidy(self) -> None:
        """Drop outdated entries when they are the larger part."""
        if len(self._entries) > 2 * len(self._valid) + SLACK:
            self._entries = [entry for entry in self._entries if self._is_valid(entry)]
            heapq.heapify(self._entries)

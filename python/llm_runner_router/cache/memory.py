"""Answers in the memory of this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

ENTRY_BYTES = 256
"""What an entry takes beside its key and value, so that many small ones count too."""


class MemoryStore:
    """Holds at most ``max_bytes``; the least recently used answers go first."""

    def __init__(self, max_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0

    @property
    def bytes_used(self) -> int:
        """What the entries take."""
        return self._bytes

    async def get(self, key: str) -> bytes | None:
        """What is kept and has not expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, expiry = entry
        if expiry <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return value

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        """Keep ``value``; one that is larger than the whole store is not kept."""
        self._drop(key)
        if size(key, value) > self._max_bytes:
            return
        self._entries[key] = (value, self._clock() + ttl)
        self._bytes += size(key, value)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))

    async def close(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= size(key, entry[0])


def size(key: str, value: bytes) -> int:
    """Bytes that an entry takes, about."""
    return len(key) + len(value) + ENTRY_BYTES

"""Where answers lie."""

from __future__ import annotations

from typing import Protocol


class AnswerStore(Protocol):
    """Bytes by key, for a time. Belongs to one event loop; no method raises.

    What comes out may have been put in by somebody else, or may be damaged.
    """

    async def get(self, key: str) -> bytes | None:
        """What is kept, or ``None``."""
        ...

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        """Keep ``value`` for ``ttl`` seconds (at least 1), as far as there is room."""
        ...

    async def close(self) -> None:
        """Give everything back. May be called more than once."""
        ...

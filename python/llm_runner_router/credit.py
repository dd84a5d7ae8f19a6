"""How many chunks of a request may still be delivered."""

from __future__ import annotations

import asyncio

from llm_runner_router.errors import InvalidRequestError

MAX_CREDITS = 2**31 - 1


class CreditAccount:
    """Unlimited until the first grant; counted from then on. Belongs to one event loop."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._granted = asyncio.Event()
        self._granted.set()

    def grant(self, chunks: int) -> None:
        """Allow ``chunks`` more."""
        left = (self._left or 0) + chunks
        if chunks < 1 or left > MAX_CREDITS:
            allowed = f"a whole number from 1, and {MAX_CREDITS} together with what is left"
            raise InvalidRequestError("chunks", chunks, allowed)
        self._left = left
        self._granted.set()

    async def spend(self) -> None:
        """Wait until a chunk may be delivered, and count it."""
        await self._granted.wait()
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._granted.clear()

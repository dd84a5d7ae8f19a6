"""The bytes of an answer, in blocks that are worth a trip to the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

from llm_runner_router.registry.sources.threads import ended

BLOCK = 2 * 2**20
PATIENCE = 0.5
"""Seconds after which a block that is not full is taken as it is."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some bytes; ``last``: no more come, because of ``failure`` or since this is the end."""

    pieces: Sequence[bytes]
    size: int
    last: bool = False
    failure: aiohttp.ClientError | None = None


async def read_block(content: aiohttp.StreamReader, clock: Callable[[], float]) -> Block:
    """The next block. What came before a failure counts."""
    pieces: list[bytes] = []
    size, begun = 0, clock()
    while size < BLOCK and (size == 0 or clock() - begun < PATIENCE):
        try:
            piece = await content.readany()
        except aiohttp.ClientError as error:
            return Block(pieces, size, last=True, failure=error)
        if not piece:
            return Block(pieces, size, last=True)
        pieces.append(piece)
        size += len(piece)
    return Block(pieces, size)


class Blocks:
    """Reads one block ahead, from the moment it is made. Whoever made it closes it.

    A connection that breaks takes along what nobody has read by then.
    """

    def __init__(self, content: aiohttp.StreamReader, clock: Callable[[], float]) -> None:
        self._content = content
        self._clock = clock
        self._ahead = asyncio.create_task(read_block(content, clock))

    async def next(self) -> Block:
        """The next block; none may be asked for behind the last."""
        block = await self._ahead
        if not block.last:
            self._ahead = asyncio.create_task(read_block(self._content, self._clock))
        return block

    async def close(self) -> None:
        """Read no more."""
        self._ahead.cancel()
        await ended(self._ahead)

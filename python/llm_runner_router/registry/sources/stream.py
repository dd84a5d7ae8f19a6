"""The bytes of an answer, in blocks that are worth a trip to the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

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

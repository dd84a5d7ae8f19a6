"""The digests of files that are here already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from llm_runner_router.registry.sources.threads import in_thread
from llm_runner_router.registry.sources.web.partial import PIECE


class Hash(Protocol):
    """One of ``hashlib``."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def hexdigest(self) -> str:
        """The digest of all bytes so far, in lower-case hexadecimal."""


def hashing(path: Path, into: Hash) -> Iterator[int]:
    """Read a file into a hash, piece by piece; yields how many bytes were read. Blocks."""
    done = 0
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            into.update(piece)
            done += len(piece)
            yield done


async def hashed(path: Path, into: Hash, on_bytes: Callable[[int], None]) -> str:
    """The digest of a file, read beside the event loop. May be cancelled between pieces."""
    reading = hashing(path, into)
    while (done := await in_thread(next, reading, None)) is not None:
        on_bytes(done)
    return into.hexdigest()

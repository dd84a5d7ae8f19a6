"""What tests of downloads share: a file, and a downloader that does not wait."""

from __future__ import annotations

import hashlib
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from llm_runner_router.providers.http_pool import new_session
from llm_runner_router.registry.sources.web.download import Downloader

CONTENT = random.Random(4).randbytes(5_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
SILENCE = 0.2


class Pauses:
    """Waits between attempts, counted and left out."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@asynccontextmanager
async def impatient_downloader(
    pauses: Pauses, silence: float = SILENCE
) -> AsyncIterator[Downloader]:
    """One with a session of its own, as the service's pool makes them."""
    async with new_session(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as session:
        yield Downloader(lambda: session, silence=silence, pause=pauses)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())

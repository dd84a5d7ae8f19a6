"""How large a web server says that a file is."""

from __future__ import annotations

import aiohttp
from yarl import URL

from llm_runner_router.registry.sources.web.offer import Broken, read_offer
from llm_runner_router.registry.sources.web.request import opened


async def told_size(session: aiohttp.ClientSession, url: URL, silence: float) -> int | None:
    """Its bytes; ``None`` where the server does not tell them, or not now.

    One byte is asked for: some addresses are good for GET alone. SourceError for a refusal.
    """
    try:
        async with opened(session, url, {"Range": "bytes=0-0"}, silence) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            return read_offer(response.status, told, 0).total
    except (Broken, aiohttp.ClientError, ConnectionError, TimeoutError):
        return None

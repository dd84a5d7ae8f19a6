"""Whether a unix socket may be listened on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from llm_runner_router.errors import InvalidConfigError

UNIX = "unix:"
FREE_PATH = "unix: and a path that no other service listens on, in a folder that exists"
ANSWER_SECONDS = 5.0
"""A socket that takes no connection for this long belongs to a service that is stuck, but runs."""


async def check_socket_path(path: str) -> None:
    """InvalidConfigError where another service listens on ``path``, or nothing can be put there.

    To bind removes what is there, so that the other service would get no more clients. What a
    service has left behind that is gone may be removed.
    """
    placed = bool(path) and await asyncio.to_thread(Path(path).parent.is_dir)
    if not placed or await answers(path):
        raise InvalidConfigError("server.host", f"{UNIX}{path}", FREE_PATH)


async def answers(path: str) -> bool:
    """Whether somebody listens on ``path``."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await asyncio.open_unix_connection(path)
    except TimeoutError:
        return True
    except OSError:
        return False
    writer.close()
    return True

"""The right of one download to write a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from llm_runner_router.providers.lock_file import lock_path, try_lock, unlock

POLL_SECONDS = 0.1
"""How often a lock that another holds is tried: to wait in the kernel could not be cancelled."""


@asynccontextmanager
async def target_lock(target: Path) -> AsyncIterator[None]:
    """Held beside the file in ``<name>.lock`` while the block runs, among all processes.

    OSError where the folder cannot be written.
    """
    path = lock_path(target)
    while (descriptor := try_lock(path)) is None:  # noqa: ASYNC110 - of other processes
        await asyncio.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        unlock(path, descriptor)

"""The right of one download to write a file."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

POLL_SECONDS = 0.1
"""How often a lock that another holds is tried: to wait in the kernel could not be cancelled."""


@asynccontextmanager
async def target_lock(target: Path) -> AsyncIterator[None]:
    """Held beside the file in ``<name>.lock`` while the block runs, among all processes.

    The kernel drops it when a process ends. OSError where the folder cannot be written.
    """
    path = target.with_name(target.name + ".lock")
    while (descriptor := try_lock(path)) is None:  # noqa: ASYNC110 - of other processes
        await asyncio.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is let go: whoever comes next makes a new one
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """The descriptor of the locked file, or ``None`` where another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if same_file(descriptor, path):
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def same_file(descriptor: int, path: Path) -> bool:
    """Whether the file was not taken away by its holder before it was locked."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False

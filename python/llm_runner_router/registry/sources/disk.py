"""The room on the disk, and the errors of one that is full."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llm_runner_router.errors import OverloadedError, UnavailableError

MARGIN = 32 * 2**20
"""Bytes that a download leaves free for everybody else."""

RETRY_SECONDS = 60.0
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def check_room(folder: Path, missing: int) -> None:
    """OverloadedError (DISK_FULL) unless ``missing`` bytes more fit into ``folder``."""
    free = shutil.disk_usage(folder).free
    if missing + MARGIN > free:
        raise disk_full(folder, missing)


@contextmanager
def disk_errors(folder: Path, missing: int = 0) -> Iterator[None]:
    """RouterErrors instead of those of the file system under ``folder``."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise disk_full(folder, missing) from None
        why = error.strerror or type(error).__name__
        raise UnavailableError(f"the folder {folder} cannot be used: {why}") from None


def disk_full(folder: Path, missing: int) -> OverloadedError:
    """The error of a disk without room for ``missing`` bytes and the margin."""
    try:
        free = str(shutil.disk_usage(folder).free)
    except OSError:
        free = "an unknown number of"
    message = f"the disk of {folder} is full: {missing + MARGIN} bytes are needed, {free} are free"
    return OverloadedError(message, retry_after=RETRY_SECONDS, reason="DISK_FULL")

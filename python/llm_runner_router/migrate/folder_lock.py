"""The right of one process to migrate a folder or to take it back."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llm_runner_router.errors import MigrationError


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Held on the folder itself, so that no file is left; the kernel drops it with the process.

    MigrationError where another holds it, or there is no such folder.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise MigrationError(f"the folder {folder} cannot be used: {error.strerror}") from None
    try:
        take(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def take(descriptor: int, folder: Path) -> None:
    """Lock it, or raise MigrationError at once."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = f"another migration or rollback is at work in {folder}: try again when it is done"
        raise MigrationError(message) from None
    except OSError as error:
        raise MigrationError(f"the folder {folder} cannot be locked: {error.strerror}") from None

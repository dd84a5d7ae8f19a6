"""The errors of a disk that is full, or may not be written."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llm_runner_router.errors import MigrationError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})

AS_BEFORE = "the folder is as it was"


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """MigrationError instead of OSError, in a block that leaves the folder as it was."""
    try:
        yield
    except OSError as error:
        raise MigrationError(f"{disk_error(folder, error)}; {AS_BEFORE}") from None


def disk_error(folder: Path, error: OSError) -> str:
    """What is wrong, and where."""
    place = error.filename or folder
    why = error.strerror or type(error).__name__
    if error.errno in FULL:
        return f"the disk of {folder} is full ({why})"
    if error.errno in REFUSED:
        return f"{place} cannot be written or read ({why})"
    return f"{place} cannot be used ({why})"
